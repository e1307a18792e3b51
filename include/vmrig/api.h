/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Marks shared by every public header: what is exported, what must be checked,
 * and C linkage for C++ callers. Nothing here names a virtual machine.
 */

#define VMR_VERSION_MAJOR 0
#define VMR_VERSION_MINOR 1
#define VMR_VERSION_PATCH 0

#if defined(__GNUC__)
#define VMR_API __attribute__((visibility("default")))
#define VMR_MUST_CHECK __attribute__((warn_unused_result))
#define VMR_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define VMR_API
#define VMR_MUST_CHECK
#define VMR_PRINTF(string, first)
#endif

#ifdef __cplusplus
#define VMR_BEGIN_DECLS extern "C" {
#define VMR_END_DECLS }
#else
#define VMR_BEGIN_DECLS
#define VMR_END_DECLS
#endif

VMR_BEGIN_DECLS

/* "0.1.0", of the library that is linked, not of the header. Any thread. */
VMR_API const char *vmr_version(void);

VMR_END_DECLS

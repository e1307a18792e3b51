/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A backend outside this tree: a shared object that defines one function. `vmrig certify --backend FILE` loads it, and
 * docs/backend_guide.md leads there. An embedder needs none of this: it has vmr_backend_set_add.
 *
 * The ABI. `abi` is the VMR_BACKEND_ABI that the plug-in was compiled with; it is the first member for good, and looked
 * at before anything behind it: vmr_backend_set_add refuses another number. A change is a new number when a plug-in
 * that was compiled before it has laid out, or was promised, something else: when a member of struct vmr_backend, or of
 * a struct that its operations are handed, is added, moved or removed, at the end as well; when a number of an
 * enumeration or a flag changes; when an operation must do more than before. What is not: a number at the end of an
 * enumeration that backends only declare or yield, a new function of the library, and words.
 *
 * The library. A plug-in calls that of the program that loads it, whose vmr_ functions come first, also if it was
 * linked with libvmrig: there is one library in the process, and what one side makes the other may use.
 */

#include "vmrig/backend.h"

VMR_BEGIN_DECLS

#define VMR_BACKEND_SYMBOL "vmrig_backend"
#define VMR_BACKEND_EXPORT VMR_API /* what keeps it visible under -fvisibility=hidden, which suits all the rest */

/*
 * The plug-in's: its table, which stays as it is while the object is loaded. Called once, before anything else. The
 * library has no such function.
 */
VMR_BACKEND_EXPORT const struct vmr_backend *vmrig_backend(void);

VMR_END_DECLS

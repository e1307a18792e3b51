/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The JSON form of a configuration.
 *
 * Keys are the names of the structs' fields. Sizes may have a unit ("4GiB",
 * "64K": powers of 1024), numbers may be texts in hexadecimal ("0xe0000000"),
 * ranges are "0xe0000000-0xefffffff", bytes are hexadecimal texts. What is one
 * of several kinds is a name ("empty") or an object with that name as its one
 * key ({"explicit": [0, 1]}). Unknown keys, keys that come twice and values of
 * another type are findings. Relative paths are left as they are. More, with an
 * example: docs/configuration.md.
 *
 * A parameter of a resource that is a text and looks like a number in one of
 * these forms is a number; {"text": "64K"} is a text whatever it looks like.
 */

#include "vmrig/config_report.h"

VMR_BEGIN_DECLS

#define VMR_CONFIG_FILE_BYTES_MAX (4u << 20) /* a machine at all limits takes a quarter of it */
#define VMR_CONFIG_FILE_DEPTH_MAX 32u
#define VMR_CONFIG_FILE_VALUES_MAX (1u << 18) /* the same of its values, which cost memory whatever their length */

struct vmr_config_file;

/*
 * Reads all of `text`, which need not be terminated and is not needed later. On
 * findings (VMR_E_CONFIG) there is no file, but all that can be said of the text
 * is added to `report`, in the order of the document: of one that is no JSON, one
 * finding; of any other, also what vmr_config_check has to say of the parts that
 * could be read. VMR_E_NOMEM. Any thread. [CFG-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_config_file_read(const void *text, size_t length,
                                                            struct vmr_config_file **ret_file,
                                                            struct vmr_config_report *report);
VMR_API void vmr_config_file_destroy(struct vmr_config_file *file); /* NULL is fine */
/* Lives as long as the file. */
VMR_API const struct vmr_config *vmr_config_file_get(const struct vmr_config_file *file);
/*
 * Gives findings with a path and no position theirs, and puts all in the order of
 * the document. What is missing is where it is missing from; columns count
 * characters. Any thread.
 */
VMR_API void vmr_config_file_locate(const struct vmr_config_file *file, struct vmr_config_report *report);

/*
 * The canonical form: what is at its default is left out, keys in the order of
 * the structs, two spaces a level. Reading it gives the same configuration, and
 * printing that the same bytes. [CFG-4] VMR_E_CONFIG, named in `err`, for what
 * no file can say: `live`, blobs of bytes, and of what vmr_config_check refuses
 * the kinds that are none, empty ranges, texts that are not in UTF-8. The text is
 * the caller's, for free(). Any thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_config_print(const struct vmr_config *config,
                                                        struct vmr_config_text *ret_text, struct vmr_error *err);
/* The JSON Schema (2020-12) of what vmr_config_file_read takes, but for rules between fields. For free(). Any thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_config_schema(struct vmr_config_text *ret_text, struct vmr_error *err);

VMR_END_DECLS

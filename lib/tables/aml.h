/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * AML, as much of it as our tables need (ACPI 6.5, 20.2).
 *
 * What has a length is opened, filled and closed; opening gives a mark, closing
 * takes it. Everything is in its shortest encoding, which is also what compilers
 * write. Names are up to four characters; paths are names with dots, from the
 * root if they begin with a backslash.
 */

#include "lib/base/writer.h"

/* Single operators, for methods. */
#define AML_LOCAL0 0x60u
#define AML_ARG0 0x68u
#define AML_STORE 0x70u
#define AML_AND 0x7bu
#define AML_OR 0x7du
#define AML_DWORD_FIELD 0x8au /* buffer, index, name */
#define AML_NOT 0x92u
#define AML_EQUAL 0x93u
#define AML_RETURN 0xa4u

size_t aml_scope(struct writer *writer, const char *path);
size_t aml_device(struct writer *writer, const char *name);
/* Serialized: methods that make names must not run twice at once. */
size_t aml_method(struct writer *writer, const char *name, unsigned arguments);
size_t aml_if(struct writer *writer);
size_t aml_else(struct writer *writer);
size_t aml_package(struct writer *writer, uint8_t elements);
void aml_close(struct writer *writer, size_t mark);

void aml_op(struct writer *writer, uint8_t op);
void aml_path(struct writer *writer, const char *path);
void aml_integer(struct writer *writer, uint64_t value);
void aml_string(struct writer *writer, const char *text);
/* "PNP0501" as a number; one that is none fails the writer. */
void aml_eisa_id(struct writer *writer, const char *id);
/* A buffer of the 16 bytes that ToUUID makes of "33db4d5b-1ff7-401c-9657-7441c03dd766". */
void aml_uuid(struct writer *writer, const char *text);
void aml_buffer(struct writer *writer, const uint8_t *bytes, size_t length);

/* Name (name, ...): what follows is the value. */
void aml_name(struct writer *writer, const char *name);
void aml_name_integer(struct writer *writer, const char *name, uint64_t value);

/* Inserts a buffer's size and the package length around what came since `mark`, where the buffer's operator ended. */
void aml_close_buffer(struct writer *writer, size_t mark);

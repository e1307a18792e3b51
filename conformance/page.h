/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Certificates as one HTML page for people, which needs no other file and no
 * network. What the certificates say is data in it, never markup.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes the page of an array of certificates, in its order. False: no memory, or it could not be written. */
bool page_write(const json_t *certificates, FILE *out);

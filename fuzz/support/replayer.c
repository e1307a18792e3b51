/* SPDX-License-Identifier: MIT */
/*
 * A target without an engine: runs each file, and each file of each folder,
 * that it is given. The name is printed before the run, so that the last one
 * names what crashed; the last line is `N passed, 0 failed, 0 skipped`.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

#define PATH_MAX_BYTES 4096u
#define FILE_MAX_BYTES (16u * 1024 * 1024)
#define DEPTH_MAX 4u

static unsigned passed;

static int complain(const char *path, const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", path, what);
    return 1;
}

static int run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    /* Of exactly this size, so that a sanitizer sees one byte too many. */
    uint8_t *bytes = file ? malloc(size > 0 ? size : 1) : NULL;
    size_t length = bytes ? fread(bytes, 1, size, file) : 0;
    int failed = !bytes || length != size;

    if (file)
        (void)fclose(file);
    if (failed) {
        free(bytes);
        return complain(path, "cannot be read");
    }
    (void)printf("%s\n", path);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    passed++;
    return 0;
}

static int run_path(const char *path, unsigned depth);

static int run_folder(const char *path, unsigned depth)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    int failed = count < 0 ? complain(path, strerror(errno)) : 0;

    for (int i = 0; i < count; i++) {
        char inside[PATH_MAX_BYTES];
        int length = snprintf(inside, sizeof(inside), "%s/%s", path, entries[i]->d_name);

        if (length < 0 || (size_t)length >= sizeof(inside))
            failed |= complain(path, "too long a name");
        else if (entries[i]->d_name[0] != '.')
            failed |= run_path(inside, depth + 1);
        free(entries[i]);
    }
    free(entries);
    return failed;
}

static int run_path(const char *path, unsigned depth)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return complain(path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return depth < DEPTH_MAX ? run_folder(path, depth) : complain(path, "too deep");
    if (status.st_size > (off_t)FILE_MAX_BYTES)
        return complain(path, "too large for an input");
    return run_file(path, (size_t)status.st_size);
}

int main(int count, char **arguments)
{
    int failed = count < 2 ? complain(arguments[0], "usage: FILE-OR-FOLDER...") : 0;

    for (int i = 1; i < count; i++)
        failed |= run_path(arguments[i], 0);
    if (passed == 0)
        failed = complain(arguments[0], "no input was run");
    (void)printf("%u passed, %d failed, 0 skipped\n", passed, failed);
    return failed;
}

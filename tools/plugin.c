/* SPDX-License-Identifier: MIT */
/* The only file that loads code. */

#include "tools/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conformance/operations.h"
#include "vmrig/backend_plugin.h"

#define PATH_BYTES_MAX 4096

/* The loader's own words name the file as well; ours come first, theirs behind the last of that. */
static const char *without_name(const char *said, const char *path)
{
    size_t length = strlen(path);

    return strncmp(said, path, length) == 0 && strncmp(said + length, ": ", 2) == 0 ? said + length + 2 : said;
}

static enum vmr_status check_file(const char *file, struct vmr_error *err)
{
    FILE *stream = fopen(file, "rb");
    char magic[4] = {0};

    if (!stream)
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': %s", file, strerror(errno));
    size_t length = fread(magic, 1, sizeof(magic), stream);

    (void)fclose(stream);
    if (length != sizeof(magic) || memcmp(magic, "\177ELF", sizeof(magic)) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': not a shared object", file);
    return VMR_OK;
}

static enum vmr_status open_object(const char *file, void **ret_object, struct vmr_error *err)
{
    char path[PATH_BYTES_MAX];
    enum vmr_status status = check_file(file, err);

    if (status)
        return status;
    int length = snprintf(path, sizeof(path), "%s%s", strchr(file, '/') ? "" : "./", file);

    if (length < 0 || (size_t)length >= sizeof(path))
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%.40s...': the name is too long", file);
    /* Now, so that a function that nobody has is an error here and not in the middle of a run. */
    *ret_object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*ret_object)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': %s", file, without_name(dlerror(), path));
}

/* What is wrong with a table, before anything but `abi` means something. */
static enum vmr_status check_table(const char *file, const struct vmr_backend *backend, struct vmr_error *err)
{
    if (!backend)
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': %s gives no table", file, VMR_BACKEND_SYMBOL);
    if (backend->abi != VMR_BACKEND_ABI)
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': its table has version %u, this vmrig takes version %u",
                             file, backend->abi, VMR_BACKEND_ABI);
    const char *missing = conf_missing_operation(backend);

    if (missing)
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': its table lacks '%s', which it must have", file,
                             missing);
    return VMR_OK;
}

/* Of the library's own, and of those before it. */
static enum vmr_status check_name(const char *file, const struct vmr_backend *backend, const struct plugins *plugins,
                                  struct vmr_error *err)
{
    struct vmr_backend_set set;
    enum vmr_status status = VMR_OK;

    vmr_backend_set_init(&set);
    for (size_t i = 0; i < plugins->count && !status; i++)
        status = vmr_backend_set_add(&set, plugins->backends[i], err);
    if (status)
        return status;
    if (vmr_backend_find(&set, backend->name))
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': the name '%s' is taken", file, backend->name);
    if (set.count == VMR_BACKEND_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': there are %u backends, no more fit", file,
                             VMR_BACKEND_MAX);
    return VMR_OK;
}

static enum vmr_status load(const char *file, struct plugins *plugins, struct vmr_error *err)
{
    const struct vmr_backend *(*entry)(void) = NULL;
    void *object = NULL;
    enum vmr_status status = open_object(file, &object, err);

    if (status)
        return status;
    void *symbol = dlsym(object, VMR_BACKEND_SYMBOL);

    /* POSIX says that an object pointer holds a function, C does not: so by its bytes. */
    memcpy(&entry, &symbol, sizeof(entry));
    const struct vmr_backend *backend = entry ? entry() : NULL;

    status = entry ? check_table(file, backend, err)
                   : vmr_error_set(err, VMR_E_CONFIG, "backend '%s': exports no %s", file, VMR_BACKEND_SYMBOL);
    if (!status)
        status = check_name(file, backend, plugins, err);
    if (!status)
        plugins->backends[plugins->count++] = backend;
    return status;
}

enum vmr_status plugins_load(const char *const *files, size_t count, struct plugins *ret_plugins, struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;

    *ret_plugins = (struct plugins){0};
    for (size_t i = 0; i < count && !status; i++)
        status = load(files[i], ret_plugins, err);
    return status;
}

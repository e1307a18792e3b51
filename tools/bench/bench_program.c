/* SPDX-License-Identifier: MIT */
/*
 * Starting a program whose output is read: the command itself, or one that lies
 * beside it.
 */

#define _GNU_SOURCE /* pipe2 */

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "tools/bench/bench.h"

extern char **environ;

bool bench_program_begin(const char *path, const char *const *arguments, pid_t *ret_child, int *ret_out)
{
    posix_spawn_file_actions_t actions;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    (void)posix_spawn_file_actions_init(&actions);
    /* What is typed meanwhile is for nobody's guest. */
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    /* posix_spawn promises not to change the strings; its type is older than const. */
    int error = posix_spawn(ret_child, path, &actions, NULL, (char *const *)(uintptr_t)arguments, environ);

    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    *ret_out = ends[0];
    if (error)
        (void)close(ends[0]);
    return error == 0;
}

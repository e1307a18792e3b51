/* SPDX-License-Identifier: MIT */
/*
 * For test_command.py, what the command does not do:
 *   replay_helper rerecord IN OUT    records the replay of IN
 *   replay_helper damage IN FOLDER   writes made-up traces, one file a kind
 *   replay_helper endless OUT        records a guest that prints on stdout for ever, to be killed
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/replay/damage.h"
#include "tests/replay/guest.h"
#include "tests/replay/player.h"

static int rerecord(const struct bytes *trace, const char *to)
{
    const struct player_options options = {.record = true};
    struct played played;

    player_play(trace, &options, &played);
    bool good = played_well(&played);

    if (good)
        bytes_write_file(to, &played.recording);
    else
        (void)fprintf(stderr, "replay_helper: %s\n", played.err.message);
    played_finish(&played);
    return good ? 0 : 1;
}

static int write_damaged(const struct bytes *trace, const char *folder)
{
    for (enum damage damage = 0; damage < DAMAGE_COUNT; damage++) {
        char path[1024];
        struct bytes damaged;

        (void)snprintf(path, sizeof(path), "%s/%s.vmt", folder, damage_name(damage));
        damage_make(trace, damage, &damaged);
        bytes_write_file(path, &damaged);
        bytes_finish(&damaged);
    }
    return 0;
}

/* At once, and to the end: what the parent sees of both is what happened. */
static enum vmr_status write_through(void *context, const void *bytes, size_t length)
{
    return write(*(const int *)context, bytes, length) == (ssize_t)length ? VMR_OK : VMR_E_HOST;
}

static void print_through(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    (void)source;
    (void)write_through(context, bytes, length);
}

static int record_endless(const char *to)
{
    int trace = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666), console = STDOUT_FILENO;
    const struct guest guest = {.vps = 1,
                                .programs = {&guest_endless},
                                .sink = {.write = write_through, .context = &trace},
                                .console = {.write = print_through, .context = &console}};
    struct bytes unused, nothing;

    if (trace < 0)
        return 1;
    guest_record(&guest, &unused, &nothing);
    return 1; /* it does not end by itself */
}

int main(int count, char **arguments)
{
    struct bytes trace;
    int result = 2;

    if (count == 3 && strcmp(arguments[1], "endless") == 0)
        return record_endless(arguments[2]);
    if (count != 4)
        return result;
    bytes_read_file(NULL, arguments[2], &trace);
    if (strcmp(arguments[1], "rerecord") == 0)
        result = rerecord(&trace, arguments[3]);
    else if (strcmp(arguments[1], "damage") == 0)
        result = write_damaged(&trace, arguments[3]);
    bytes_finish(&trace);
    return result;
}

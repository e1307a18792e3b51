/* SPDX-License-Identifier: MIT */
/* The machine by uname and /proc/cpuinfo, the day by the clock, in UTC. */

#include "tools/facts.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define LINE_MAX_BYTES 512u

static void copy(char ret_text[FACT_MAX], const char *text)
{
    snprintf(ret_text, FACT_MAX, "%s", text[0] ? text : "unknown");
}

/* "model name : ..." of the first processor; other architectures have no such line. */
static void find_cpu(char ret_cpu[FACT_MAX])
{
    static const char key[] = "model name";
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[LINE_MAX_BYTES];

    copy(ret_cpu, "");
    while (file && fgets(line, sizeof(line), file)) {
        const char *value = strchr(line, ':');

        if (strncmp(line, key, sizeof(key) - 1) != 0 || !value)
            continue;
        value += strspn(value, ": \t");
        line[strcspn(line, "\n")] = '\0';
        copy(ret_cpu, value);
        break;
    }
    if (file)
        fclose(file);
}

void facts_find(struct facts *facts)
{
    struct utsname names = {.sysname = ""};
    time_t now = time(NULL);
    struct tm day = {.tm_mday = 1};

    (void)uname(&names);
    copy(facts->system, names.sysname);
    copy(facts->release, names.release);
    copy(facts->machine, names.machine);
    find_cpu(facts->cpu);
    (void)gmtime_r(&now, &day);
    if (strftime(facts->taken, sizeof(facts->taken), "%Y-%m-%dT%H:%M:%SZ", &day) == 0)
        facts->taken[0] = '\0';
    facts->facts = (struct conf_facts){.system = facts->system,
                                       .release = facts->release,
                                       .machine = facts->machine,
                                       .cpu = facts->cpu,
                                       .taken = facts->taken};
}

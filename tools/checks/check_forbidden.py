# SPDX-License-Identifier: MIT
"""What the library must not do, read from its compiled objects.

In lib/ (but os_*.c): no clock, randomness, output, exit, file, environment,
process or signal. In lib/ and backends/: no data that can change and belongs
to no object, no thread-locals, no constructors. The KVM kick, which needs a
word for each thread and a signal handler, is the one exception.
"""

import re
import subprocess

import common

FAMILIES = {
    'a clock': 'time gettimeofday clock_gettime clock clock_nanosleep nanosleep sleep usleep timer_create '
               'timerfd_create localtime gmtime',
    'randomness': 'rand srand random srandom rand_r drand48 lrand48 getrandom getentropy arc4random',
    'output': 'printf vprintf puts putchar putc fputs fputc fputs fwrite fprintf vfprintf dprintf perror '
              'stdout stderr syslog',
    'ending the process': 'exit _exit _Exit abort quick_exit atexit',
    'a file': 'open open64 openat openat64 creat fopen fopen64 freopen fdopen read write pread pwrite unlink rename '
              'mkstemp stat fstat opendir',
    'the environment': 'getenv secure_getenv setenv environ getcwd',
    'a process or signal': 'fork vfork execve execvp system popen kill raise signal sigaction pthread_kill '
                           'pthread_sigmask pthread_create socket',
    'the system': 'ioctl syscall mmap munmap dlopen dlsym',
}
FORBIDDEN = {name: family for family, names in FAMILIES.items() for name in names.split()}

SYSTEM_OBJECTS = re.compile(r'^lib_[a-z0-9]+_os_')
LIBRARY_OBJECTS = re.compile(r'^lib_')
KICK_OBJECTS = re.compile(r'^backends_kvm_\w*kick')

# objdump -t: value, seven flags, section, size, name. -h: index, section, size ...
SYMBOL = re.compile(r'^[0-9a-f]+ (.{7}) (\S+)\s+([0-9a-f]+)\s+(?:\.\w+ )?(\S+)$')
MEMBER = re.compile(r'^(\S+\.o):\s+file format')
CHANGING = re.compile(r'^(?:\.t?data|\.t?bss|\*COM\*)(?!\.rel\.ro)')
CONSTRUCTOR = re.compile(r'^\s*\d+ (\.(?:preinit_array|init_array|fini_array|ctors|dtors)\S*)\s')


def source_of(member):
    return re.sub(r'\.o$', '', member.rsplit('/', 1)[-1])


def check_symbol(member, flags, section, name):
    """What is wrong with one symbol of an object file, or None."""
    if section == '*UND*':
        plain = re.sub(r'@.*|^__(\w+)_chk$', lambda match: match.group(1) or '', name)
        if LIBRARY_OBJECTS.match(member) and not SYSTEM_OBJECTS.match(member) and plain in FORBIDDEN:
            return f'uses {plain}: {FORBIDDEN[plain]} is not for the library to take'
        return None
    if 'd' in flags or KICK_OBJECTS.match(member):
        return None
    if CHANGING.match(section):
        kind = 'thread-local data' if section.startswith('.t') else 'data that can change'
        return f'{name}: {kind} outside every object'
    return None


def check_dump(dump):
    """Findings in the text of `objdump -h -t`."""
    member = '?'
    for line in dump.splitlines():
        if (match := MEMBER.match(line)) is not None:
            member = source_of(match.group(1))
        elif (match := CONSTRUCTOR.match(line)) is not None:
            yield f'{member}: {match.group(1)}: no code runs before main'
        elif (match := SYMBOL.match(line)) is not None:
            finding = check_symbol(member, match.group(1), match.group(2), match.group(4))
            if finding is not None:
                yield f'{member}: {finding}'


def find(library):
    dump = subprocess.run(['objdump', '-h', '-t', '-w', library], capture_output=True, text=True, check=True)
    return list(check_dump(dump.stdout))


if __name__ == '__main__':
    options = common.parse_arguments(__doc__, ('library', {'help': 'libvmrig.a, built without instrumentation'}))
    try:
        common.finish(find(options.library), options.library)
    except FileNotFoundError:
        common.skip('objdump is missing')

# SPDX-License-Identifier: MIT
"""Each module of the library has its test, and every source is built."""

import os
import re

import common

# Modules without a test of their own name, each with the reason.
WITHOUT_TEST = {
    'lib/config/rules_resolve.c': 'a table: tests/config/test_rules.c',
    'lib/config/check_board.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_chipset.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_devices.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_disks.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_fields.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_gic.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_hypervisor.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_layout.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_load.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_numa.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_pcie.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_ports.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_processors.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_uefi.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_vmbus.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/check_windows.c': 'part of the check: tests/config/test_check.c and its tables',
    'lib/config/model_board.c': 'a table: tests/config/test_model.c',
    'lib/config/model_devices.c': 'a table: tests/config/test_model.c',
    'lib/config/model_load.c': 'a table: tests/config/test_model.c',
    'lib/config/model_pcie.c': 'a table: tests/config/test_model.c',
    'lib/config/model_root.c': 'a table: tests/config/test_model.c',
    'lib/config/model_topology.c': 'a table: tests/config/test_model.c',
    'lib/config/rules_chipset.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_device.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_build.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_field.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_file.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_hypervisor.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_layout.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_load.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_numa.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_pcie.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_processor.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_uefi.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_vmbus.c': 'a table: tests/config/test_rules.c',
    'lib/config/rules_tables.c': 'a table: tests/config/test_rules.c',
    'lib/tables/dsdt.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/fadt.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/gtdt.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/input.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/iort.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/ivrs.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/madt.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/mcfg.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/smbios.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/srat.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/ssdt.c': 'read back, whole: tests/tables/test_build.c, tests/tables/test_tools.py',
    'lib/tables/tree_node.c': 'part of the tree: tests/tables/test_tree.c',
    'lib/tables/tree_pcie.c': 'part of the tree: tests/tables/test_tree.c',
    'lib/tables/tree_processors.c': 'part of the tree: tests/tables/test_tree.c',
    'lib/trace/recorder_backend.c': 'part of the recorder: tests/trace/test_recorder.c',
    'lib/trace/recorder_host.c': 'part of the recorder: tests/trace/test_recorder.c',
    'lib/trace/recorder_hv.c': 'part of the recorder: tests/trace/test_recorder.c',
    'lib/trace/recorder_memory.c': 'part of the recorder: tests/trace/test_recorder.c',
    'lib/trace/recorder_state.c': 'part of the recorder: tests/trace/test_place.c',
    'lib/trace/replay_backend.c': 'part of the replay: tests/trace/test_replay.c',
    'lib/trace/replay_host.c': 'part of the replay: tests/trace/test_replay.c',
    'lib/trace/replay_hv.c': 'part of the replay: tests/trace/test_replay.c',
    'lib/trace/replay_memory.c': 'part of the replay: tests/trace/test_replay.c',
    'lib/trace/replay_state.c': 'part of the replay: tests/trace/test_place.c',
}


def test_of(path):
    folder, name = os.path.split(path.removeprefix('lib/'))
    return f'tests/{folder}/test_{name}'


def missing_tests(files, without_test):
    for path in sorted(files):
        if not re.match(r'lib/.*\.c$', path):
            continue
        if test_of(path) in files:
            if path in without_test:
                yield f'{path}:1: is in the list of modules without a test, but has one'
        elif path not in without_test:
            yield f'{path}:1: has no {test_of(path)}'
    for path in sorted(set(without_test) - set(files)):
        yield f'{path}:1: is in the list of modules without a test, but does not exist'


def unbuilt_sources(root, files):
    """Sources that the build file of their folder, or of one above, does not name."""
    for path in sorted(files):
        if not re.match(r'(?:lib|backends|conformance|tools|tests|examples|include|fuzz)/.*\.[ch]$', path):
            continue
        if path.endswith('.h') and not path.startswith('include/'):
            continue
        if not is_named(root, path):
            yield f'{path}:1: no meson.build names it'


def is_fuzz_target(root, path):
    """Named in the table that the build file reads."""
    folder, name = os.path.split(path)
    table = common.read(root, 'fuzz/targets.txt') if os.path.isfile(os.path.join(root, 'fuzz/targets.txt')) else ''
    return folder == 'fuzz' and any(line.split(' ')[0] + '.c' == name for line in table.splitlines())


def is_named(root, path):
    """Whether a build file names it: whole, or by the stem that a loop turns into the name."""
    if is_fuzz_target(root, path):
        return True
    folder = os.path.dirname(path)
    while folder:
        build_file = os.path.join(folder, 'meson.build')
        if os.path.isfile(os.path.join(root, build_file)):
            text = re.sub(r'#[^\n]*|subdir\([^)]*\)', '', common.read(root, build_file))
            named = set(re.findall(r"'([^'\n]*)'", text))
            name = os.path.relpath(path, folder)
            stem = os.path.splitext(name)[0]
            if named & {name, stem, os.path.basename(stem).removeprefix('test_')}:
                return True
        folder = os.path.dirname(folder)
    return False


def find(root, without_test=None):
    files = set(common.tracked_files(root))
    chosen = WITHOUT_TEST if without_test is None else without_test
    return [*missing_tests(files, chosen), *unbuilt_sources(root, files)]


if __name__ == '__main__':
    common.finish(find(common.parse_arguments(__doc__).root), 'the layout')

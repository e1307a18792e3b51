# SPDX-License-Identifier: MIT
"""What the emulated machine is made of: Debian's cloud kernel with KVM's modules, and busybox.

Fetched with apt-get and unpacked, not installed: the outer machine keeps its own kernel.
"""

import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from problem import Problem, need_tool

# In this flavour kvm-amd needs no module but the two before it; what else the machine needs is built in.
KERNEL = 'linux-image-cloud-amd64'
MODULES = {'irqbypass': 'virt/lib', 'kvm': 'arch/x86/kvm', 'kvm-amd': 'arch/x86/kvm'}
TOOLS = {'apt-get': 'apt (this needs the packages of Debian)', 'apt-cache': 'apt', 'dpkg': 'dpkg'}


def output_of(*command, folder=None):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(f'{" ".join(command)}: exit status {done.returncode}; apt-get update may help\n'
                      f'{done.stderr.strip()}')
    return done.stdout


def kernel_package():
    """The package that holds the newest kernel: the flavour's own name is an empty one that depends on it."""
    found = re.search(r'Depends: (linux-image-\S+)', output_of('apt-cache', 'depends', KERNEL))
    if found is None:
        raise Problem(f'{KERNEL} depends on no kernel here; apt-get update may help')
    return found[1]


def the_one(folder, pattern):
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise Problem(f'{len(found)} files match {pattern} in the packages, not one')
    return found[0]


def module_bytes(root, name, folder):
    path = the_one(root, f'**/lib/modules/*/kernel/{folder}/{name}.ko*')
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == '.xz' else content


def unpack(packages, root, into):
    for package in packages.glob('*.deb'):
        output_of('dpkg', '-x', str(package), str(root))
    shutil.copyfile(the_one(root, 'boot/vmlinuz-*'), into / 'vmlinuz')
    shutil.copyfile(the_one(root, '**/bin/busybox'), into / 'busybox')
    for name, folder in MODULES.items():
        (into / f'{name}.ko').write_bytes(module_bytes(root, name, folder))


def fetch(folder):
    """Gives the folder with `vmlinuz`, `busybox` and a .ko for each of MODULES, fetched unless it is there."""
    pieces = pathlib.Path(folder) / 'pieces'
    if pieces.is_dir():
        return pieces
    for tool, package in TOOLS.items():
        need_tool(tool, package)
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        packages, root, into = (pathlib.Path(scratch) / name for name in ('packages', 'root', 'into'))
        for path in (packages, root, into):
            path.mkdir()
        output_of('apt-get', 'download', kernel_package(), 'busybox-static', folder=packages)
        unpack(packages, root, into)
        into.rename(pieces)
    return pieces

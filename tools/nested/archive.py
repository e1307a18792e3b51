# SPDX-License-Identifier: MIT
"""Archives: the one the emulated machine boots from, and the one it gives back."""

import gzip
import io
import os
import stat
import tarfile
import zlib

from problem import Problem

FILE, FOLDER = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755


def member(number, name, mode, content):
    """One member of a cpio archive in the form "newc": a header of 8-digit fields, the name, the content, padded."""
    name_bytes = name.encode() + b'\0'
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name_bytes), 0)
    header = b'070701' + b''.join(b'%08x' % field for field in fields) + name_bytes
    return header + bytes(-len(header) % 4) + content + bytes(-len(content) % 4)


def initramfs(files, folders):
    """What the kernel unpacks as its first file system: `files` maps paths to contents; all can be executed."""
    parents = {os.path.dirname(path) for path in files} - {''}
    entries = [(path, FOLDER, b'') for path in sorted(parents | set(folders))]
    entries += [(path, FILE, content) for path, content in sorted(files.items())]
    members = [member(number, *entry) for number, entry in enumerate(entries, 1)]
    return b''.join(members) + member(0, 'TRAILER!!!', 0, b'')


def files_of(archive):
    """The regular files of a compressed tar archive, by the last part of their names."""
    try:
        # Decompressed first, and so to its checksum: a reader of tar stops where it has seen enough.
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive)), mode='r:') as tar:
            return {os.path.basename(entry.name): tar.extractfile(entry).read() for entry in tar if entry.isfile()}
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise Problem(f'what the emulated machine gave back is damaged: {error}') from error

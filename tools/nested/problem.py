# SPDX-License-Identifier: MIT
"""What the nested lane says and does when it cannot go on."""

import shutil


class Problem(Exception):
    """Nothing could be judged; the text says why, in one line or with what the failing tool said below it."""


def need_tool(name, package):
    if shutil.which(name) is None:
        raise Problem(f'there is no {name}: install {package}')

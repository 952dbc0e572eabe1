# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
#
# What scripts/install and scripts/uninstall share. PREFIX/share/ami-zoo/install-manifest has a line
# 'DIGEST  PATH' for each installed file, as sha256sum prints it, with paths below PREFIX, and a line
# '# folder PATH' for each folder that the installation made; a folder above PREFIX has an absolute
# path. While an installation is written, a path may have two lines: the old file and the new.
# shellcheck shell=bash disable=SC2034

manifest=share/ami-zoo/install-manifest
# A file is written under its name and this suffix, and then renamed.
suffix=.ami-zoo-installing

fail() {
    echo "${0##*/}: $1" >&2
    exit "${2:-1}"
}

# Sets `prefix` to an absolute path; the argument is what the command line says, or nothing.
choose_prefix() {
    prefix=$1
    if [ -z "$prefix" ]; then
        if [ "$(id -u)" -eq 0 ]; then prefix=/usr/local; else
            [ -n "${HOME:-}" ] || fail "HOME is not set; give --prefix DIR" 64
            prefix=$HOME/.local
        fi
    fi
    case $prefix in *$'\n'*) fail "a prefix has no line breaks" 64 ;; esac
    prefix=$(realpath -ms -- "$prefix")
}

# Prints 'DIGEST  PATH' for each path of standard input that exists below the folder $1; what is not a
# plain file has the digest '-'.
states() {
    (
        # All of the input is read, so that whoever writes it does not end by SIGPIPE.
        cd "$1" 2>/dev/null || { cat >/dev/null && exit; }
        plain=()
        while IFS= read -r path; do
            if [ -f "$path" ] && [ ! -L "$path" ]; then plain+=("$path")
            elif [ -e "$path" ] || [ -L "$path" ]; then echo "-  $path"; fi
        done
        [ "${#plain[@]}" -eq 0 ] || sha256sum -- "${plain[@]}"
    ) | sort
}

# The lines of a manifest that name files, and those that name folders; nothing when there is none.
manifest_files() { if [ -f "$1" ]; then grep -v '^#' "$1" || true; fi; }
manifest_folders() { if [ -f "$1" ]; then sed -n 's/^# folder //p' "$1"; fi; }
# The paths of lines 'DIGEST  PATH'.
paths() { sed 's/^[^ ]*  //' | sort -u; }

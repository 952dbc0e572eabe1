// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The name of a class or function outside ``PickleGlobal``, which stays a text.
///
/// Objects of classes that nobody here knows are read as inert data, so their names are never
/// looked up. Names of Python's standard library are refused all the same: a file with the
/// weights of a model has no use for them, and malicious files are made of them. Safety does not
/// depend on that list, because no name is ever resolved or called.
///
/// Source of the modules: `sys.stdlib_module_names` of CPython 3.11, and names of Python 2.
enum PickleLabel {
    /// The label of a name; nil if the name is refused.
    static func text(module: String, name: String) -> String? {
        guard isDotted(module), isDotted(name) else { return nil }
        if module == "builtins" || module == "__builtin__" {
            return types.contains(name) ? "builtins.\(name)" : nil
        }
        // Functions that build tensors of other kinds, which are only ever called.
        guard !(module.hasPrefix("torch._") && name.hasPrefix("_rebuild")) else { return nil }
        let package = String(module.prefix { $0 != "." })
        return refused.contains(package) ? nil : "\(module).\(name)"
    }

    private static func isDotted(_ text: String) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        }
    }

    private static let types: Set<String> = [
        "bool", "bytes", "complex", "dict", "float", "int", "list", "long", "object", "set", "str",
        "tuple",
    ]

    private static let refused = Set(
        """
        __builtin__ __future__ _codecs _ctypes _frozen_importlib _frozen_importlib_external _imp
        _io _operator _osx_support _pickle _posixsubprocess _sitebuiltins _socket _thread
        _winapi abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop
        base64 bdb binascii bisect builtins bz2 cPickle cProfile calendar cgi cgitb chunk cmath
        cmd code codecs codeop collections colorsys commands compileall concurrent configparser
        contextlib contextvars copy copy_reg copyreg crypt csv ctypes curses dataclasses
        datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno
        faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath
        getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib
        imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3
        linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder
        msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode
        operator optparse os ossaudiodev pathlib pdb pickle pickletools pip pipes pkg_resources
        pkgutil platform plistlib popen2 poplib posix posixpath pprint profile pstats pty pwd
        py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib
        resource rlcompleter runpy sched secrets select selectors setuptools shelve shlex shutil
        signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile
        sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau
        symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this
        threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty
        turtle turtledemo types typing unicodedata unittest urllib urllib2 uu uuid venv warnings
        wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile
        zipimport zlib zoneinfo
        """
        .split(whereSeparator: \.isWhitespace).map(String.init)
    )
}

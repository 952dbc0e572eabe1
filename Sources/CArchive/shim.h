// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// libarchive for Swift. Only ZooArchive imports this module.

#ifndef AMI_ZOO_CARCHIVE_SHIM_H
#define AMI_ZOO_CARCHIVE_SHIM_H

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

// Swift does not import macros with casts.
static inline int carchive_is_file(struct archive_entry *entry) {
    return archive_entry_filetype(entry) == AE_IFREG;
}

static inline int carchive_is_folder(struct archive_entry *entry) {
    return archive_entry_filetype(entry) == AE_IFDIR;
}

static inline int carchive_is_link(struct archive_entry *entry) {
    return archive_entry_filetype(entry) == AE_IFLNK || archive_entry_hardlink(entry) != NULL;
}

static inline void carchive_set_file(struct archive_entry *entry) {
    archive_entry_set_filetype(entry, AE_IFREG);
}

// libarchive converts names through the locale of the thread. In the locale "C", with which every
// program starts, it cannot convert a name that is not ASCII.
static inline void *carchive_new_utf8_locale(void) {
#if defined(__APPLE__)
    return (void *)newlocale(LC_CTYPE_MASK, "UTF-8", (locale_t)0);
#else
    return (void *)newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
#endif
}

// Returns the previous locale of the thread, for the next call.
static inline void *carchive_use_locale(void *locale) {
    return (void *)uselocale((locale_t)locale);
}

static inline void carchive_free_locale(void *locale) {
    freelocale((locale_t)locale);
}

#endif

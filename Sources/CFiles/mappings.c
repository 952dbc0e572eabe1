// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "CFiles.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/// Nodes are never freed, only reused, because the handler traverses the list without a lock.
struct ami_mapping {
    _Atomic uintptr_t start;
    /// 0 while the node is unused.
    _Atomic uintptr_t end;
    atomic_bool damaged;
    struct ami_mapping *next;
};

static _Atomic(struct ami_mapping *) mappings;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static bool is_installed;
static uintptr_t page_size;

/// Passes a signal that does not come from a watched mapping to the previous handler.
static void pass_on(int number, siginfo_t *info, void *context) {
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(number);
    } else {
        // The default action is taken when this handler returns.
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void handle(int number, siginfo_t *info, void *context) {
    const uintptr_t address = (uintptr_t)info->si_addr;
    for (struct ami_mapping *each = atomic_load(&mappings); each != NULL; each = each->next) {
        const uintptr_t end = atomic_load(&each->end);
        if (address < atomic_load(&each->start) || address >= end) {
            continue;
        }
        // Set the flag first, so that code that reads the zeros also sees the flag.
        atomic_store(&each->damaged, true);
        const uintptr_t page = address / page_size * page_size;
        // mmap is a plain system call on all supported systems. The rest of the file is lost as
        // well.
        void *zeros = mmap((void *)page, end - page, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (zeros != MAP_FAILED) {
            return;
        }
        break;
    }
    pass_on(number, info, context);
}

static bool install(void) {
    if (is_installed) {
        return true;
    }
    page_size = (uintptr_t)getpagesize();
    struct sigaction action = {0};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    is_installed = sigaction(SIGBUS, &action, &previous) == 0;
    return is_installed;
}

ami_mapping *ami_mapping_watch(const void *start, size_t size) {
    pthread_mutex_lock(&lock);
    struct ami_mapping *node = NULL;
    if (install()) {
        node = atomic_load(&mappings);
        while (node != NULL && atomic_load(&node->end) != 0) {
            node = node->next;
        }
        if (node == NULL && (node = calloc(1, sizeof *node)) != NULL) {
            node->next = atomic_load(&mappings);
            atomic_store(&mappings, node);
        }
    }
    if (node != NULL) {
        atomic_store(&node->damaged, false);
        atomic_store(&node->start, (uintptr_t)start);
        // Up to the end of the last page, because a whole page can fail.
        atomic_store(&node->end, ((uintptr_t)start + size + page_size - 1) / page_size * page_size);
    }
    pthread_mutex_unlock(&lock);
    return node;
}

bool ami_mapping_is_damaged(const ami_mapping *mapping) { return atomic_load(&mapping->damaged); }

void ami_mapping_forget(ami_mapping *mapping) {
    pthread_mutex_lock(&lock);
    atomic_store(&mapping->end, 0);
    pthread_mutex_unlock(&lock);
}

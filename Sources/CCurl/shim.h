// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// libcurl for Swift. Only ZooTransport imports this module.
//
// Swift cannot call variadic C functions, and curl_easy_setopt and curl_easy_getinfo are variadic.
// Each function below gives one argument type a fixed signature.

#ifndef AMI_ZOO_CCURL_SHIM_H
#define AMI_ZOO_CCURL_SHIM_H

#include <curl/curl.h>
#include <signal.h>
#include <stdint.h>

typedef size_t (*ccurl_data_callback)(char *data, size_t size, size_t count, void *context);

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_callback(
    CURL *handle, CURLoption option, ccurl_data_callback value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_body_size(CURL *handle, int64_t size) {
    return curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
}

typedef int (*ccurl_seek_callback)(void *context, curl_off_t offset, int origin);

static inline CURLcode ccurl_set_seek(CURL *handle, ccurl_seek_callback value) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}

// CURLOPT_PROTOCOLS_STR replaced CURLOPT_PROTOCOLS in 7.85; older distributions have only the latter.
static inline CURLcode ccurl_allow_only_http(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

// Without this option (7.87), ending a transfer waits for a pending name lookup.
static inline CURLcode ccurl_leave_lookups_behind(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)handle;
    return CURLE_OK;
#endif
}

// The status of a proxy's response to CONNECT; 0 if there was none.
static inline long ccurl_connect_status(CURL *handle) {
    long value = 0;
    (void)curl_easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &value);
    return value;
}

static inline int ccurl_system_error(CURL *handle) {
    long value = 0;
    (void)curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &value);
    return (int)value;
}

// Takes the result of a transfer that has finished on this multi handle; returns 0 if there is
// none.
static inline int ccurl_take_result(CURLM *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return 1;
        }
    }
    return 0;
}

// With CURLOPT_NOSIGNAL, libcurl does not ignore SIGPIPE, which a TLS library may raise when the
// server closes the connection. This blocks the signal only for the calling thread.
static inline int ccurl_block_broken_pipe_signal(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return pthread_sigmask(SIG_BLOCK, &set, NULL);
}

#endif

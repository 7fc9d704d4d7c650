/* SPDX-License-Identifier: MIT */
#include "server/auth.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TOKEN_BYTES = 32,
    CODES = 16,     /* codes that may be open at once; the oldest gives way */
    ADDRESSES = 64, /* of those who guessed wrong; the oldest gives way */
    CODE_BYTES = 16,
};
static const ms_t minute_ms = 60 * 1000;

struct code {
    char text[CODE_BYTES * 2 + 1]; /* empty: used or never given */
    ms_t until;
};
struct guesser {
    char address[64];
    ms_t since;
    int count;
};

struct auth {
    unsigned char token_hash[crypto_hash_sha256_BYTES];
    unsigned char key[crypto_auth_KEYBYTES]; /* for sessions; comes from the token */
    pthread_mutex_t lock;
    struct code codes[CODES];
    struct guesser guessers[ADDRESSES];
};

/* ---- the token ---- */

static bool token_make(const char *path, struct err *e)
{
    unsigned char bytes[TOKEN_BYTES];
    char text[TOKEN_BYTES * 2 + 2];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
    text[TOKEN_BYTES * 2] = '\n';
    return fd_replace_file(path, (struct str){text, TOKEN_BYTES * 2 + 1}, e);
}

static bool token_read(const char *path, struct buf *out, struct err *e)
{
    CLEANUP(fd_close) int fd = -1;
    struct stat st;
    if (!fd_open_read(AT_FDCWD, path, &fd, e))
        return false;
    if (fstat(fd, &st))
        return err_sys(e, "%s", path);
    if (st.st_mode & 077)
        return err_set(e, ERR_DENIED, "%s may be read by others: chmod 600 it, or remove it", path);
    return fd_read_all(fd, 4096, out, e);
}

static void learn(struct auth *a, struct str token)
{
    static const unsigned char what[] = "session";
    crypto_hash_sha256(a->token_hash, (const unsigned char *)token.at, token.len);
    crypto_generichash(a->key, sizeof a->key, (const unsigned char *)token.at, token.len, what,
                       sizeof what);
}

/* For CLEANUP: a secret does not stay in freed memory. */
static void wipe(struct buf *b)
{
    if (b->at)
        sodium_memzero(b->at, b->cap);
    buf_free(b);
}

bool auth_open(const char *home, struct auth **out, struct err *e)
{
    CLEANUP(wipe) struct buf text = {0};
    char path[4096];
    if (sodium_init() < 0)
        return err_set(e, ERR_SYSTEM, "no source of chance");
    snprintf(path, sizeof path, "%s/token", home);
    if (access(path, F_OK) && errno == ENOENT && !token_make(path, e))
        return false;
    if (!token_read(path, &text, e))
        return false;
    struct str token = str_trim((struct str){text.at, text.len});
    if (token.len < 32)
        return err_set(e, ERR_INVALID, "%s is too short to be a token: remove it for a new one",
                       path);
    struct auth *a = mem_new(sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    learn(a, token);
    *out = a;
    return true;
}

void auth_free(struct auth *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    sodium_memzero(a, sizeof *a);
    free(a);
}

bool auth_token_good(const struct auth *a, struct str token)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)(token.at ? token.at : ""), token.len);
    return sodium_memcmp(hash, a->token_hash, sizeof hash) == 0;
}

/* ---- sessions: "UNTIL.PROOF" ---- */

static void proof_of(const struct auth *a, const char *until, char text[65])
{
    unsigned char mac[crypto_auth_BYTES];
    crypto_auth(mac, (const unsigned char *)until, strlen(until), a->key);
    sodium_bin2hex(text, 65, mac, sizeof mac);
}

void auth_session_new(const struct auth *a, ms_t now, char text[AUTH_SESSION_MAX])
{
    char until[24], proof[65];
    snprintf(until, sizeof until, "%lld", (long long)(now + AUTH_SESSION_MS));
    proof_of(a, until, proof);
    snprintf(text, AUTH_SESSION_MAX, "%s.%s", until, proof);
}

bool auth_session_good(const struct auth *a, struct str text, ms_t now)
{
    const char *dot = text.at ? memchr(text.at, '.', text.len) : NULL;
    char until[24], proof[65];
    int64_t at;
    if (!dot || dot - text.at >= (ptrdiff_t)sizeof until ||
        text.len - (size_t)(dot - text.at) - 1 != sizeof proof - 1)
        return false;
    snprintf(until, sizeof until, "%.*s", (int)(dot - text.at), text.at);
    proof_of(a, until, proof);
    return sodium_memcmp(proof, dot + 1, sizeof proof - 1) == 0 && str_to_i64(str_of(until), &at) &&
           now < at;
}

/* ---- codes ---- */

void auth_code_new(struct auth *a, ms_t now, char code[AUTH_CODE_MAX])
{
    unsigned char bytes[CODE_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(code, AUTH_CODE_MAX, bytes, sizeof bytes);
    pthread_mutex_lock(&a->lock);
    struct code *oldest = &a->codes[0];
    for (int i = 1; i < CODES; i++)
        if (a->codes[i].until < oldest->until)
            oldest = &a->codes[i];
    snprintf(oldest->text, sizeof oldest->text, "%s", code);
    oldest->until = now + AUTH_CODE_MS;
    pthread_mutex_unlock(&a->lock);
}

bool auth_code_use(struct auth *a, struct str code, ms_t now)
{
    bool good = false;
    if (code.len != CODE_BYTES * 2)
        return false;
    pthread_mutex_lock(&a->lock);
    for (int i = 0; i < CODES; i++) {
        struct code *c = &a->codes[i];
        bool same = sodium_memcmp(c->text, code.at, CODE_BYTES * 2) == 0;
        if (same && now < c->until)
            good = true;
        if (same)
            *c = (struct code){0};
    }
    pthread_mutex_unlock(&a->lock);
    return good;
}

/* ---- those who guess ---- */

static struct guesser *guesser_find(struct auth *a, const char *address)
{
    struct guesser *oldest = &a->guessers[0];
    for (int i = 0; i < ADDRESSES; i++) {
        if (strcmp(a->guessers[i].address, address) == 0)
            return &a->guessers[i];
        if (a->guessers[i].since < oldest->since)
            oldest = &a->guessers[i];
    }
    *oldest = (struct guesser){0};
    snprintf(oldest->address, sizeof oldest->address, "%s", address);
    return oldest;
}

bool auth_failed(struct auth *a, struct str address, ms_t now)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", STR_ARG(address));
    pthread_mutex_lock(&a->lock);
    struct guesser *g = guesser_find(a, text);
    if (now - g->since >= minute_ms || now < g->since) {
        g->since = now;
        g->count = 0;
    }
    bool many = ++g->count > AUTH_FAILURES_MAX;
    pthread_mutex_unlock(&a->lock);
    return many;
}

/* Kills the process in which it is loaded (LD_PRELOAD) at one of its writes, with SIGKILL, about which a process can do nothing, or
 * stops it there:
 *   STRIKE_AT=N       the Nth write that counts; without it nobody dies, and writes are noted alone
 *   STRIKE_HOW=…      before the write, within it (half of its bytes are written), or after it
 *   STRIKE_SIGNAL=N   another signal, such as SIGSTOP; the write goes on when the process does
 *   STRIKE_ONLY=…     what counts alone, such as order; everything when it is empty
 *   STRIKE_NOTES=FILE each write that counts, one a line; the last is where it died
 * What counts: whatever changes the ledger (its file, its log, its lock), and requests that ask for a change.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int count;
static long at;
static char how;
static int sent = SIGKILL;
static const char *only = "";
static int notes = -1;

__attribute__((constructor)) static void begin(void) {
    const char *number = getenv("STRIKE_AT"), *word = getenv("STRIKE_HOW"), *file = getenv("STRIKE_NOTES");
    at = number ? atol(number) : 0;
    if (getenv("STRIKE_SIGNAL")) sent = atoi(getenv("STRIKE_SIGNAL"));
    if (getenv("STRIKE_ONLY")) only = getenv("STRIKE_ONLY");
    how = word ? word[0] : 'b';
    if (file) notes = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
}

static void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), sent);
    /* A signal may take a moment until it has reached every thread. */
    do usleep(20000); while (sent == SIGKILL);
}

static int ends(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

static const char *part(const char *path) {
    if (ends(path, ".db")) return "file";
    if (ends(path, ".db-wal")) return "log";
    if (ends(path, ".db-shm")) return "index";
    if (ends(path, ".db-journal")) return "journal";
    if (ends(path, ".lead")) return "lead";
    return NULL;
}

static const char *part_of(int fd, const void *bytes, size_t length) {
    char link[40], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t long_as = readlink(link, path, sizeof path - 1);
    if (long_as < 0) return NULL;
    path[long_as] = 0;
    if (!strncmp(path, "socket:", 7)) {
        int asks = bytes && length > 6 && (!memcmp(bytes, "POST ", 5) || !memcmp(bytes, "PUT ", 4) ||
                                           !memcmp(bytes, "PATCH ", 6) || !memcmp(bytes, "DELETE", 6));
        return asks ? "order" : NULL;
    }
    return part(path);
}

/* Returns whether the write that begins now is the one; when it is to be before it, that is now. */
static int meets(const char *call, const char *part) {
    if (!part || (*only && strcmp(only, part))) return 0;
    int number = atomic_fetch_add(&count, 1) + 1;
    if (notes >= 0) {
        char note[80];
        int length = snprintf(note, sizeof note, "%d %s %s\n", number, part, call);
        syscall(SYS_write, notes, note, length);
    }
    if (number != at) return 0;
    if (how != 'b') return 1;
    die();
    return 0;
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t place) {
    int now = meets("write", part_of(fd, NULL, 0));
    ssize_t done = syscall(SYS_pwrite64, fd, bytes, now && how == 'w' ? length / 2 : length, place);
    if (now) die();
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    int now = meets("write", part_of(fd, bytes, length));
    ssize_t done = syscall(SYS_write, fd, bytes, now && how == 'w' ? length / 2 : length);
    if (now) die();
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
    int now = n > 0 ? meets("send", part_of(fd, parts[0].iov_base, parts[0].iov_len)) : 0;
    if (now && how == 'w') {
        syscall(SYS_write, fd, parts[0].iov_base, parts[0].iov_len / 2);
        die();
    }
    ssize_t done = syscall(SYS_writev, fd, parts, n);
    if (now) die();
    return done;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    int now = meets("send", part_of(fd, bytes, length));
    ssize_t done = syscall(SYS_sendto, fd, bytes, now && how == 'w' ? length / 2 : length, flags, NULL, 0);
    if (now) die();
    return done;
}

int fsync(int fd) {
    int now = meets("sync", part_of(fd, NULL, 0));
    int done = syscall(SYS_fsync, fd);
    if (now) die();
    return done;
}

int fdatasync(int fd) {
    int now = meets("sync", part_of(fd, NULL, 0));
    int done = syscall(SYS_fdatasync, fd);
    if (now) die();
    return done;
}

int ftruncate64(int fd, off64_t length) {
    int now = meets("cut", part_of(fd, NULL, 0));
    int done = syscall(SYS_ftruncate, fd, length);
    if (now) die();
    return done;
}

int unlink(const char *path) {
    int now = meets("unlink", part(path));
    int done = REAL(unlink)(path);
    if (now) die();
    return done;
}

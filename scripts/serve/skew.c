/* Gives the process in which it is loaded (LD_PRELOAD) a wall clock that is off by SKEW_SECONDS, or that runs SKEW_SPEED times as fast
 * since the second SKEW_SINCE. Only what a clock on the wall shows: pauses and time limits stay what they are. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off, since;
static double speed = 1;

__attribute__((constructor)) static void begin(void) {
    const char *seconds = getenv("SKEW_SECONDS");
    off = seconds ? atol(seconds) : 0;
    if (getenv("SKEW_SPEED") && getenv("SKEW_SINCE")) {
        speed = atof(getenv("SKEW_SPEED"));
        since = atol(getenv("SKEW_SINCE"));
    }
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, clock, now);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        if (speed != 1) {
            double passed = ((double)(now->tv_sec - since) + now->tv_nsec / 1e9) * speed;
            now->tv_sec = since + (long)passed;
            now->tv_nsec = (long)((passed - (double)(long)passed) * 1e9);
        }
        now->tv_sec += off;
    }
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec told;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &told);
    now->tv_sec = told.tv_sec;
    now->tv_usec = told.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into) {
    struct timespec told;
    clock_gettime(CLOCK_REALTIME, &told);
    if (into) *into = told.tv_sec;
    return told.tv_sec;
}

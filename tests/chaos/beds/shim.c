/* The calls of the C library that the shim stands before. See shim.h. */

#include "shim.h"

#include <stdarg.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

enum { DESCRIPTORS = 65536, SECOND_NS = 1000000000 };
static struct file *opened[DESCRIPTORS]; /* those that are ours */

static struct file *of(int fd) {
  return fd >= 0 && fd < DESCRIPTORS ? opened[fd] : NULL;
}

static int note_open(int fd, const char *path) {
  if (fd >= 0 && fd < DESCRIPTORS)
    opened[fd] = is_ours(path) ? met(fd, path) : NULL;
  return fd;
}

#define OPEN(name)                                                    \
  int name(const char *path, int flags, ...) {                        \
    NEXT(name);                                                       \
    va_list rest;                                                     \
    va_start(rest, flags);                                            \
    int has_mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE; \
    mode_t mode = has_mode ? va_arg(rest, mode_t) : 0;                \
    va_end(rest);                                                     \
    return note_open(next_##name(path, flags, mode), path);           \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  NEXT(close);
  if (of(fd)) opened[fd] = NULL;
  return next_close(fd);
}

int rename(const char *from, const char *to) {
  NEXT(rename);
  int ours = is_ours(from);
  if (ours) hold();
  int result = next_rename(from, to);
  if (ours) release();
  return result;
}

int unlink(const char *path) {
  NEXT(unlink);
  int ours = is_ours(path);
  if (ours) hold();
  int result = next_unlink(path);
  if (ours) release();
  return result;
}

/* -- writes */

static int is_refused(const struct file *file) {
  int64_t error = file && control ? control->write_errno : 0;
  if (error) errno = (int)error;
  return error != 0;
}

static void hold_for(const struct file *file) {
  if (file) hold();
}

static void release_for(const struct file *file) {
  if (file) release();
}

static ssize_t written(int fd, struct file *file, ssize_t count) {
  if (file && count > 0) {
    off_t end = lseek(fd, 0, SEEK_CUR);
    touch(file, end - count, end);
  }
  release_for(file);
  return count;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  NEXT(write);
  struct file *file = of(fd);
  if (is_refused(file)) return -1;
  hold_for(file);
  return written(fd, file, next_write(fd, bytes, count));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  NEXT(writev);
  struct file *file = of(fd);
  if (is_refused(file)) return -1;
  hold_for(file);
  return written(fd, file, next_writev(fd, parts, count));
}

#define PWRITE(name)                                                  \
  ssize_t name(int fd, const void *bytes, size_t count, off_t at) {   \
    NEXT(name);                                                       \
    struct file *file = of(fd);                                       \
    if (is_refused(file)) return -1;                                  \
    hold_for(file);                                                   \
    ssize_t done = next_##name(fd, bytes, count, at);                 \
    if (file && done > 0) touch(file, at, at + done);                 \
    release_for(file);                                                \
    return done;                                                      \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

#define FTRUNCATE(name)                                               \
  int name(int fd, off_t size) {                                      \
    NEXT(name);                                                       \
    struct file *file = of(fd);                                       \
    hold_for(file);                                                   \
    int result = next_##name(fd, size);                               \
    if (!result && file) touch(file, size, END);                      \
    release_for(file);                                                \
    return result;                                                    \
  }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

#define FALLOCATE(name)                                               \
  int name(int fd, off_t at, off_t count) {                           \
    NEXT(name);                                                       \
    struct file *file = of(fd);                                       \
    if (is_refused(file)) return errno;                               \
    hold_for(file);                                                   \
    int error = next_##name(fd, at, count);                           \
    if (!error && file) touch(file, at, at + count);                  \
    release_for(file);                                                \
    return error;                                                     \
  }
FALLOCATE(posix_fallocate)
FALLOCATE(posix_fallocate64)

#define STATVFS(name)                                                 \
  int name(const char *path, struct name *found) {                    \
    NEXT(name);                                                       \
    int result = next_##name(path, found);                            \
    if (!result && is_ours(path) && control->write_errno == ENOSPC)   \
      found->f_bfree = found->f_bavail = 0;                           \
    return result;                                                    \
  }
STATVFS(statvfs)
STATVFS(statvfs64)

/* -- syncs */

#define SYNC(name)                                                    \
  int name(int fd) {                                                  \
    NEXT(name);                                                       \
    struct file *file = of(fd);                                       \
    return file ? sync_through(file, fd, next_##name) : next_##name(fd); \
  }
SYNC(fsync)
SYNC(fdatasync)

/* -- the wall clock; monotonic clocks, and with them all waiting, stay true */

int clock_gettime(clockid_t clock, struct timespec *at) {
  NEXT(clock_gettime);
  int result = next_clock_gettime(clock, at);
  int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (!result && is_wall && control && control->clock_ns) {
    int64_t ns = (int64_t)at->tv_sec * SECOND_NS + at->tv_nsec + control->clock_ns;
    *at = (struct timespec){ns / SECOND_NS, ns % SECOND_NS};
  }
  return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  *at = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
  return result;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}

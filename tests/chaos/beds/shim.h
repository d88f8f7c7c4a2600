/* A disk that forgets and fails, and a clock that is wrong, for one process (LD_PRELOAD).

   FAULT_DATA names a directory of plain files, FAULT_SHADOW one beside it, in which is
   kept what a power cut would leave of them:

     held/<inode>    a link to each file, so that its inode number stays its own
     synced/<inode>  what fsync or fdatasync has made durable of it
     names           what fsync of the directory has made durable: lines "inode name"
     control         struct control, written by the test at any time

   A file's durable content and its durable name are two things, as on a real disk: a
   synced file is lost with its name if the directory was not synced, and a name whose
   file was not synced leads to an empty one. A sync keeps what was there when it began,
   and nothing that came while it ran: a disk may, but does not promise it. A change that goes by another call than
   those below is seen as never synced: it may raise a false alarm, never hide a loss. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#pragma GCC visibility push(hidden) /* only the calls are to be seen */

static const off_t END = INT64_MAX;

struct control {
  int64_t clock_ns;    /* added to the wall clock */
  int64_t sync_ns;     /* each sync takes so much longer */
  int64_t write_errno; /* of each write and allocation, if not 0 */
  int64_t sync_errno;  /* of each sync, if not 0 */
};

struct file; /* one inode, whatever it is called */

/* NULL: nothing is asked of us. */
extern const volatile struct control *control;

/* Abort if the bed is broken: nobody may take that for a fault of the product. */
void need(int holds, const char *what);

/* Where the shadow keeps something (of an inode, if not 0). */
const char *in_shadow(char *path, const char *kind, ino_t inode);

/* Whether a path is the data directory, or a file right in it. */
int is_ours(const char *path);

/* The file, or directory, that has just been opened under a path of ours. */
struct file *met(int fd, const char *path);

/* A file's content has changed from here to there; held since before it did. */
void touch(struct file *file, off_t from, off_t to);

/* Sync it, with all that a control may have in mind for that. */
int sync_through(struct file *file, int fd, int (*sync)(int));

/* While held, nothing changes: a listing shows a file under one of its names, and what
   a sync takes is what was written before it began. */
void hold(void);
void release(void);

#pragma GCC visibility pop

/* The function of that name which we stand before. */
#define NEXT(name)                      \
  static __typeof__(name) *next_##name; \
  if (!next_##name)                     \
  next_##name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

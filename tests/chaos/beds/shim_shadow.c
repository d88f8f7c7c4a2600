/* What a power cut would leave: kept up to date at each sync. See shim.h. */

#include "shim.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* What one sync is to make durable: as it was when that sync began. */
struct taken {
  off_t from, to, size; /* the content is kept of what may have changed only */
  int content, is_done;
  struct taken *next;
};

struct file {
  ino_t inode;
  off_t from, to;      /* what may differ from the durable content and all taken */
  struct taken *taken; /* by the syncs under way, the oldest first */
  struct file *next;
};

enum { PIECE = 256 * 1024, SECOND_NS = 1000000000 };

const volatile struct control *control;
static const char *data_path, *shadow_path;
static size_t data_length;
static struct file directory, *files;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void need(int holds, const char *what) {
  if (holds) return;
  perror(what); /* the bed is broken: nobody may take that for a fault of the product */
  abort();
}

const char *in_shadow(char *path, const char *kind, ino_t inode) {
  if (inode)
    snprintf(path, PATH_MAX, "%s/%s/%ju", shadow_path, kind, (uintmax_t)inode);
  else
    snprintf(path, PATH_MAX, "%s/%s", shadow_path, kind);
  return path;
}

__attribute__((constructor)) static void begin(void) {
  char path[PATH_MAX];
  data_path = getenv("FAULT_DATA"), shadow_path = getenv("FAULT_SHADOW");
  if (!data_path || !shadow_path) return;
  data_length = strlen(data_path);
  int fd = open(in_shadow(path, "control", 0), O_RDONLY | O_CLOEXEC);
  need(fd >= 0, path);
  void *at = mmap(NULL, sizeof *control, PROT_READ, MAP_SHARED, fd, 0);
  need(at != MAP_FAILED, "mmap");
  close(fd);
  control = at;
}

int is_ours(const char *path) {
  return control && !strncmp(path, data_path, data_length) &&
         (!path[data_length] ||
          (path[data_length] == '/' && !strchr(path + data_length + 1, '/')));
}

void hold(void) { pthread_mutex_lock(&mutex); }

void release(void) { pthread_mutex_unlock(&mutex); }

static struct file *known(ino_t inode) {
  struct file *file = files;
  while (file && file->inode != inode) file = file->next;
  if (!file) {
    need((file = calloc(1, sizeof *file)) != NULL, "calloc");
    /* What an earlier process left unsynced is unknown: all of it, perhaps. */
    *file = (struct file){inode, 0, END, NULL, files};
    files = file;
  }
  return file;
}

struct file *met(int fd, const char *path) {
  struct stat status;
  char held[PATH_MAX], synced[PATH_MAX];
  struct file *file = NULL;
  int error = errno;
  need(!fstat(fd, &status), "fstat");
  if (S_ISDIR(status.st_mode)) return &directory;
  if (!S_ISREG(status.st_mode)) return NULL;
  hold();
  file = known(status.st_ino);
  if (!link(path, in_shadow(held, "held", status.st_ino))) { /* it is new */
    file->from = 0, file->to = END;
    for (struct taken *of = file->taken; of; of = of->next) of->is_done = 1;
    int empty = creat(in_shadow(synced, "synced", status.st_ino), 0600);
    need(empty >= 0, synced);
    close(empty);
  }
  release();
  errno = error;
  return file;
}

void touch(struct file *file, off_t from, off_t to) {
  if (from < file->from) file->from = from;
  if (to > file->to) file->to = to;
}

static void copy(int in, int out, off_t from, off_t to) {
  static char piece[PIECE]; /* under the mutex */
  while (from < to) {
    size_t want = to - from < PIECE ? (size_t)(to - from) : PIECE;
    ssize_t got = pread(in, piece, want, from);
    if (got == 0) return; /* it has been shortened meanwhile */
    need(got > 0 && pwrite(out, piece, (size_t)got, from) == got, "copy");
    from += got;
  }
}

/* Copy it with its holes as holes. */
static void copy_sparse(int in, int out, off_t from, off_t to) {
  for (off_t at = from; at < to;) {
    off_t bytes = lseek(in, at, SEEK_DATA);
    if (bytes < 0 || bytes > to) bytes = to;
    int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    need(bytes == at || !fallocate(out, punch, at, bytes - at), "punch");
    at = bytes == to ? to : lseek(in, bytes, SEEK_HOLE);
    if (at > to || at < 0) at = to;
    copy(in, out, bytes, at);
  }
}

static void pause_for(const struct timespec *slow) {
  if (slow->tv_sec || slow->tv_nsec) nanosleep(slow, NULL);
}

/* Take what has changed since the last sync began; from now on that counts as clean. */
static void take(struct file *file, struct taken *taken) {
  char path[PATH_MAX];
  struct stat status;
  *taken = (struct taken){file->from, file->to, 0, -1, 0, NULL};
  file->from = END, file->to = 0;
  struct taken **last = &file->taken;
  while (*last) last = &(*last)->next;
  *last = taken;
  int in = open(in_shadow(path, "held", file->inode), O_RDONLY | O_CLOEXEC);
  if (in < 0) { /* removed, and that is durable */
    taken->is_done = 1;
    return;
  }
  need(!fstat(in, &status), path);
  taken->size = status.st_size;
  if (taken->to > taken->size) taken->to = taken->size;
  if (taken->from < taken->to) {
    int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
    taken->content = open(in_shadow(path, "taken", 0), flags, 0600);
    need(taken->content >= 0 && !unlink(path), path);
    copy_sparse(in, taken->content, taken->from, taken->to);
  }
  close(in);
}

/* Make durable what was taken. */
static void keep(const struct file *file, struct taken *taken) {
  char path[PATH_MAX];
  if (taken->is_done) return;
  taken->is_done = 1;
  int out = open(in_shadow(path, "synced", file->inode), O_WRONLY | O_CLOEXEC);
  if (out < 0 && errno == ENOENT) return; /* removed meanwhile, and that is durable */
  need(out >= 0, path);
  copy_sparse(taken->content, out, taken->from, taken->to);
  need(!ftruncate(out, taken->size), "ftruncate");
  close(out);
}

static int sync_content(struct file *file, int fd, int (*sync)(int),
                        const struct timespec *slow) {
  struct taken taken, **at;
  hold();
  take(file, &taken);
  release();
  pause_for(slow);
  int result = sync(fd), error = errno;
  hold();
  /* What syncs that began before it have taken was written before it, too. */
  for (struct taken *of = file->taken; !result && of; of = of->next) {
    keep(file, of);
    if (of == &taken) break;
  }
  for (at = &file->taken; *at != &taken;) at = &(*at)->next;
  *at = taken.next;
  release();
  if (taken.content >= 0) close(taken.content);
  errno = error;
  return result;
}

static void list_names(FILE *list) {
  DIR *entries = opendir(data_path);
  need(entries != NULL, data_path);
  for (struct dirent *entry; (entry = readdir(entries));)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
      fprintf(list, "%ju %s\n", (uintmax_t)entry->d_ino, entry->d_name);
  closedir(entries);
}

static int is_listed(const char *list, ino_t inode) {
  char start[32];
  size_t length = (size_t)sprintf(start, "%ju ", (uintmax_t)inode);
  while (list && strncmp(list, start, length))
    if ((list = strchr(list, '\n'))) list++;
  return list != NULL;
}

/* Forget the files that no name leads to any more, durable or not, but our link. */
static void forget(const char *list) {
  char path[PATH_MAX];
  struct stat status;
  DIR *entries = opendir(in_shadow(path, "held", 0));
  need(entries != NULL, path);
  for (struct dirent *entry; (entry = readdir(entries));) {
    ino_t inode = (ino_t)strtoumax(entry->d_name, NULL, 10);
    if (!inode || stat(in_shadow(path, "held", inode), &status)) continue;
    if (status.st_nlink > 1 || is_listed(list, inode)) continue;
    need(!unlink(path), path);
    need(!unlink(in_shadow(path, "synced", inode)), path);
  }
  closedir(entries);
}

static void keep_names(const char *list) {
  char fresh[PATH_MAX], names[PATH_MAX];
  FILE *file = fopen(in_shadow(fresh, "names.new", 0), "we");
  need(file != NULL && fputs(list, file) >= 0 && !fclose(file), fresh);
  need(!rename(fresh, in_shadow(names, "names", 0)), names);
  forget(list);
}

static int sync_names(int fd, int (*sync)(int), const struct timespec *slow) {
  static uint64_t begun, kept; /* under the mutex */
  char *list;
  size_t length;
  FILE *names = open_memstream(&list, &length);
  need(names != NULL, "open_memstream");
  hold();
  uint64_t turn = ++begun;
  list_names(names);
  release();
  need(!fclose(names), "names");
  pause_for(slow);
  int result = sync(fd), error = errno;
  hold();
  if (!result && turn > kept) { /* else one that began later has kept its own */
    keep_names(list);
    kept = turn;
  }
  release();
  free(list);
  errno = error;
  return result;
}

int sync_through(struct file *file, int fd, int (*sync)(int)) {
  int64_t slow_ns = control->sync_ns, error = control->sync_errno;
  struct timespec slow = {slow_ns / SECOND_NS, slow_ns % SECOND_NS};
  if (error) {
    /* As the kernel does: what could not be written counts as clean from now on. */
    hold();
    if (file != &directory) file->from = END, file->to = 0;
    release();
    pause_for(&slow);
    errno = (int)error;
    return -1;
  }
  return file == &directory ? sync_names(fd, sync, &slow)
                            : sync_content(file, fd, sync, &slow);
}

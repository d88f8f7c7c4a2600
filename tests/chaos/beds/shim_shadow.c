/* What a power cut would leave: kept up to date at each sync. See shim.h. */

#include "shim.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct file {
  ino_t inode;
  off_t from, to; /* what may differ from the durable content */
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

void hold_names(void) { pthread_mutex_lock(&mutex); }

void release_names(void) { pthread_mutex_unlock(&mutex); }

static struct file *known(ino_t inode) {
  struct file *file = files;
  while (file && file->inode != inode) file = file->next;
  if (!file) {
    need((file = calloc(1, sizeof *file)) != NULL, "calloc");
    /* What an earlier process left unsynced is unknown: all of it, perhaps. */
    *file = (struct file){inode, 0, END, files};
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
  pthread_mutex_lock(&mutex);
  file = known(status.st_ino);
  if (!link(path, in_shadow(held, "held", status.st_ino))) { /* it is new */
    file->from = 0, file->to = END;
    int empty = creat(in_shadow(synced, "synced", status.st_ino), 0600);
    need(empty >= 0, synced);
    close(empty);
  }
  pthread_mutex_unlock(&mutex);
  errno = error;
  return file;
}

void touch(struct file *file, off_t from, off_t to) {
  pthread_mutex_lock(&mutex);
  if (from < file->from) file->from = from;
  if (to > file->to) file->to = to;
  pthread_mutex_unlock(&mutex);
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

/* Make the durable content what the file is now; its holes stay holes. */
static void keep_content(struct file *file) {
  char held[PATH_MAX], synced[PATH_MAX];
  struct stat status;
  int in = open(in_shadow(held, "held", file->inode), O_RDONLY | O_CLOEXEC);
  if (in < 0) return; /* removed, and that is durable */
  int out = open(in_shadow(synced, "synced", file->inode), O_WRONLY | O_CLOEXEC);
  need(out >= 0 && !fstat(in, &status), synced);
  off_t at = file->from, end = file->to < status.st_size ? file->to : status.st_size;
  while (at < end) {
    off_t bytes = lseek(in, at, SEEK_DATA);
    if (bytes < 0 || bytes > end) bytes = end;
    int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    need(bytes == at || !fallocate(out, punch, at, bytes - at), "punch");
    at = bytes == end ? end : lseek(in, bytes, SEEK_HOLE);
    if (at > end) at = end;
    copy(in, out, bytes, at);
  }
  need(!ftruncate(out, status.st_size), "ftruncate");
  close(in), close(out);
  file->from = END, file->to = 0;
}

static void list_names(FILE *list) {
  DIR *entries = opendir(data_path);
  need(entries != NULL, data_path);
  for (struct dirent *entry; (entry = readdir(entries));)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
      fprintf(list, "%ju %s\n", (uintmax_t)entry->d_ino, entry->d_name);
  closedir(entries);
}

/* Forget the files that no name leads to any more, but the link of ours. */
static void release(void) {
  char path[PATH_MAX];
  struct stat status;
  DIR *entries = opendir(in_shadow(path, "held", 0));
  need(entries != NULL, path);
  for (struct dirent *entry; (entry = readdir(entries));) {
    ino_t inode = (ino_t)strtoumax(entry->d_name, NULL, 10);
    if (!inode || stat(in_shadow(path, "held", inode), &status)) continue;
    if (status.st_nlink > 1) continue;
    need(!unlink(path), path);
    need(!unlink(in_shadow(path, "synced", inode)), path);
  }
  closedir(entries);
}

static int sync_names(int fd, int (*sync)(int)) {
  char fresh[PATH_MAX], names[PATH_MAX];
  pthread_mutex_lock(&mutex);
  FILE *list = fopen(in_shadow(fresh, "names.new", 0), "we");
  need(list != NULL, fresh);
  list_names(list);
  need(!fclose(list), fresh);
  int result = sync(fd);
  if (!result) {
    need(!rename(fresh, in_shadow(names, "names", 0)), names);
    release();
  }
  pthread_mutex_unlock(&mutex);
  return result;
}

int sync_through(struct file *file, int fd, int (*sync)(int)) {
  int64_t slow_ns = control->sync_ns, error = control->sync_errno;
  struct timespec slow = {slow_ns / SECOND_NS, slow_ns % SECOND_NS};
  if (slow_ns) nanosleep(&slow, NULL);
  if (error) {
    /* As the kernel does: what could not be written counts as clean from now on. */
    if (file != &directory) file->from = END, file->to = 0;
    errno = (int)error;
    return -1;
  }
  if (file == &directory) return sync_names(fd, sync);
  int result = sync(fd);
  if (!result) {
    pthread_mutex_lock(&mutex);
    keep_content(file);
    pthread_mutex_unlock(&mutex);
  }
  return result;
}

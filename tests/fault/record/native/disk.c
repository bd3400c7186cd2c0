/* Stands between a process and its data folder: notes every change of a file in the order in which it happens, and can
 * make the disk slow, make it lie, and move the wall clock. Loaded with LD_PRELOAD; set by the environment:
 *   FAULT_DIR     the data folder, an absolute path without a link in it
 *   FAULT_TRACE   file that takes the trace; none is written without it
 *   FAULT_ACKS    file whose writes are noted as acknowledgements, in the same order as the rest
 *   FAULT_LIES    a sync of a name with this ending is answered and not done ("" for all)
 *   FAULT_FAIL_EVERY, FAULT_FAIL_SEED     one of so many syncs fails with EIO, drawn from the seed
 *   FAULT_FAIL_ENDS   one of so many of these failures ends the process at once
 *   FAULT_SYNC_MS, FAULT_JITTER_MS        a sync takes this long, and up to so much longer
 *   FAULT_STALL_MS, FAULT_STALL_EVERY     and this long every so many syncs
 *   FAULT_FULL    while this file is there, no file of the folder grows
 *   FAULT_CLOCK   file of 8 bytes: milliseconds added to the wall clock, signed, in the machine's order
 * One record of the trace: kind and length of the name (32 bits each), offset and length (64 bits each), the name below
 * the folder, and of a write its bytes; all in the machine's order.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, TRUNCATE = 2, SYNC = 3, UNLINK = 4, RENAME = 5, ACK = 6, FAIL = 7 };

static const char *folder, *acks, *lies, *full;
static size_t folder_length;
static int trace = -1;
static long sync_ms, jitter_ms, stall_ms, stall_every, fail_every, fail_seed, fail_ends, syncs;
static volatile const int64_t *clock_offset;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static long number(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : atol(text);
}

__attribute__((constructor)) static void begin(void) {
  folder = getenv("FAULT_DIR");
  folder_length = folder == NULL ? 0 : strlen(folder);
  acks = getenv("FAULT_ACKS");
  lies = getenv("FAULT_LIES");
  full = getenv("FAULT_FULL");
  sync_ms = number("FAULT_SYNC_MS");
  jitter_ms = number("FAULT_JITTER_MS");
  stall_ms = number("FAULT_STALL_MS");
  stall_every = number("FAULT_STALL_EVERY");
  fail_every = number("FAULT_FAIL_EVERY");
  fail_seed = number("FAULT_FAIL_SEED");
  fail_ends = number("FAULT_FAIL_ENDS");
  const char *path = getenv("FAULT_TRACE");
  if (path != NULL) trace = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const char *clock_path = getenv("FAULT_CLOCK");
  if (clock_path != NULL) {
    int fd = syscall(SYS_openat, AT_FDCWD, clock_path, O_RDONLY | O_CLOEXEC, 0);
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) clock_offset = page;
    if (fd >= 0) syscall(SYS_close, fd);
  }
}

/* The part of a path behind the folder ("" for the folder itself), or NULL when it lies elsewhere. */
static const char *below(const char *path) {
  if (folder == NULL || strncmp(path, folder, folder_length) != 0) return NULL;
  if (path[folder_length] == '\0') return path + folder_length;
  return path[folder_length] == '/' ? path + folder_length + 1 : NULL;
}

/* The path of an open file, or NULL. */
static const char *path_of(int fd, char *path) {
  char link[48];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length < 0) return NULL;
  path[length] = '\0';
  return path;
}

static void put(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t done = syscall(SYS_write, trace, at, length);
    if (done < 0 && errno == EINTR) continue;
    /* A trace with a hole in it would prove nothing. */
    if (done <= 0) abort();
    at += done;
    length -= done;
  }
}

static void note(uint32_t kind, const char *name, uint64_t offset, uint64_t length, const void *bytes) {
  if (trace < 0) return;
  int kept = errno;
  struct { uint32_t kind, name_length; uint64_t offset, length; } head = {kind, strlen(name), offset, length};
  put(&head, sizeof head);
  put(name, head.name_length);
  if (bytes != NULL) put(bytes, length);
  errno = kept;
}

static int is_full(int fd, const char *name, off_t end) {
  if (full == NULL || name == NULL || syscall(SYS_faccessat, AT_FDCWD, full, F_OK) != 0) return 0;
  struct stat now;
  if (fstat(fd, &now) == 0 && end <= now.st_size) return 0;
  errno = ENOSPC;
  return 1;
}

/* A call and its note are one step, so that the trace has the order in which things happened. */
static ssize_t written(int fd, const void *bytes, size_t length, off_t offset, int is_at) {
  char path[PATH_MAX];
  const char *found = trace < 0 && full == NULL ? NULL : path_of(fd, path);
  const char *name = found == NULL ? NULL : below(found);
  int is_ack = found != NULL && acks != NULL && strcmp(found, acks) == 0;
  if (name == NULL && !is_ack)
    return is_at ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
  pthread_mutex_lock(&turn);
  off_t at = is_at ? offset : lseek(fd, 0, SEEK_CUR);
  ssize_t done = is_full(fd, name, at + length) ? -1 : is_at ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
  if (done > 0) note(is_ack ? ACK : WRITE, is_ack ? "" : name, at, done, bytes);
  pthread_mutex_unlock(&turn);
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return written(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return written(fd, bytes, length, offset, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return written(fd, bytes, length, offset, 1); }

static int truncated(int fd, off_t length) {
  char path[PATH_MAX];
  const char *found = trace < 0 && full == NULL ? NULL : path_of(fd, path);
  const char *name = found == NULL ? NULL : below(found);
  pthread_mutex_lock(&turn);
  int result = is_full(fd, name, length) ? -1 : syscall(SYS_ftruncate, fd, length);
  if (result == 0 && name != NULL) note(TRUNCATE, name, length, 0, NULL);
  pthread_mutex_unlock(&turn);
  return result;
}

int ftruncate(int fd, off_t length) { return truncated(fd, length); }
int ftruncate64(int fd, off_t length) { return truncated(fd, length); }

static void wait_ms(long ms) {
  struct timespec rest = {ms / 1000, (ms % 1000) * 1000000};
  while (ms > 0 && syscall(SYS_nanosleep, &rest, &rest) != 0 && errno == EINTR) {
  }
}

static int ends_with(const char *name, const char *ending) {
  size_t length = strlen(name), wanted = strlen(ending);
  return length >= wanted && strcmp(name + length - wanted, ending) == 0;
}

static uint32_t drawn(long count) {
  uint32_t mixed = (uint32_t)(count + fail_seed) * 2654435761u;
  return mixed ^ mixed >> 15;
}

/* A folder has nothing that could be taken for clean. */
static int is_failing(const char *name, long count) {
  return fail_every > 0 && name[0] != '\0' && drawn(count) % fail_every == 0;
}

static int synced(int fd, long call) {
  char path[PATH_MAX];
  const char *found = folder == NULL ? NULL : path_of(fd, path);
  const char *name = found == NULL ? NULL : below(found);
  if (name == NULL) return syscall(call, fd);
  long count = __atomic_add_fetch(&syncs, 1, __ATOMIC_RELAXED);
  /* Spread by the golden ratio: the same every time. */
  if (sync_ms + jitter_ms > 0) wait_ms(sync_ms + (jitter_ms > 0 ? count * 618 % 1000 * jitter_ms / 1000 : 0));
  if (stall_every > 0 && count % stall_every == 0) wait_ms(stall_ms);
  if (lies != NULL && ends_with(name, lies)) return 0;
  pthread_mutex_lock(&turn);
  if (is_failing(name, count)) {
    note(FAIL, name, 0, 0, NULL);
    if (fail_ends > 0 && drawn(count * 31 + 7) % fail_ends == 0) kill(getpid(), SIGKILL);
    pthread_mutex_unlock(&turn);
    errno = EIO;
    return -1;
  }
  int result = syscall(call, fd);
  if (result == 0) note(SYNC, name, 0, 0, NULL);
  pthread_mutex_unlock(&turn);
  return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int unlink(const char *path) {
  const char *name = below(path);
  pthread_mutex_lock(&turn);
  int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (result == 0 && name != NULL) note(UNLINK, name, 0, 0, NULL);
  pthread_mutex_unlock(&turn);
  return result;
}

int rename(const char *from, const char *to) {
  const char *before = below(from), *after = below(to);
  pthread_mutex_lock(&turn);
  int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  /* The new name travels as the bytes. */
  if (result == 0 && before != NULL && after != NULL) note(RENAME, before, 0, strlen(after), after);
  pthread_mutex_unlock(&turn);
  return result;
}

static void moved(int64_t *seconds, int64_t *nanoseconds) {
  if (clock_offset == NULL) return;
  int64_t offset_ms = *clock_offset;
  *seconds += offset_ms / 1000;
  *nanoseconds += offset_ms % 1000 * 1000000;
  if (*nanoseconds < 0) (*seconds)--, *nanoseconds += 1000000000;
  if (*nanoseconds >= 1000000000) (*seconds)++, *nanoseconds -= 1000000000;
}

int clock_gettime(clockid_t which, struct timespec *out) {
  int result = syscall(SYS_clock_gettime, which, out);
  if (result != 0 || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE)) return result;
  int64_t seconds = out->tv_sec, nanoseconds = out->tv_nsec;
  moved(&seconds, &nanoseconds);
  out->tv_sec = seconds;
  out->tv_nsec = nanoseconds;
  return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

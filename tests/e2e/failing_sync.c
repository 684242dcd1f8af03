/* Preloaded by tests: while the file named by FAIL_SYNC exists, syncing a write-ahead log fails
   with EIO, as a dying disk does; while the one named by HANG_SYNC exists, it does not end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_set(const char *trigger) {
  const char *file = getenv(trigger);
  return file != NULL && access(file, F_OK) == 0;
}

static int fails(int fd) {
  char link[64];
  char path[4096];
  ssize_t length;
  while (is_set("HANG_SYNC")) usleep(10000);
  if (!is_set("FAIL_SYNC")) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink(link, path, sizeof path - 1);
  if (length < 4) return 0;
  path[length] = '\0';
  return strcmp(path + length - 4, ".log") == 0;
}

int fdatasync(int fd) {
  if (fails(fd)) {
    errno = EIO;
    return -1;
  }
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

int fsync(int fd) {
  if (fails(fd)) {
    errno = EIO;
    return -1;
  }
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

/* Files that appear whole or not at all: temporary name in the same folder, write, fsync, rename, fsync of
   the folder. A writer holds a lock on its temporary file, so one that nobody locks was left by a killed
   process and is removed by the next write of the same name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/store.h"

static const char *advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space and run again";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder you may write to, or change its permissions";
    case EISDIR:
    case ENOTDIR:
    case EEXIST:
      return "a file and a folder share this name; move one away";
    case ENAMETOOLONG:
      return "choose a shorter name";
    default:
      return "nothing was changed";
  }
}

static wal_status fail_errno(const char *what, const char *path, int error) {
  return wal_fail(WAL_E_IO, "cannot %s %s: %s (%s)", what, path, strerror(error), advice(error));
}

wal_status wal_make_parent(const char *path) {
  char *folder = strdup(path);
  if (!folder) return wal_fail(WAL_E_MEMORY, "no memory for the folder of %s", path);
  wal_status status = WAL_OK;
  for (char *slash = strchr(folder + 1, '/'); slash && !status; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    struct stat found;
    if (mkdir(folder, 0777) != 0) {
      int error = errno;
      bool is_folder = stat(folder, &found) == 0 && S_ISDIR(found.st_mode);
      if (!is_folder) status = fail_errno("create the folder", folder, error);
    }
    *slash = '/';
  }
  free(folder);
  return status;
}

/* "FOLDER" and "NAME" of "FOLDER/NAME". */
static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return strdup(".");
  return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static const char *name_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* Is `entry` a temporary file of `name`: ".NAME.PID-COUNT.tmp"? */
static bool is_temporary(const char *entry, const char *name) {
  size_t length = strlen(name);
  int used = 0;
  if (entry[0] != '.' || strncmp(entry + 1, name, length) != 0) return false;
  const char *rest = entry + 1 + length;
  sscanf(rest, ".%*[0-9]-%*[0-9].tmp%n", &used);
  return used > 0 && rest[used] == '\0';
}

/* Removes temporary files of `name` that no living writer holds. Failing to is harmless. */
static void remove_leftovers(const char *folder, const char *name) {
  DIR *listing = opendir(folder);
  if (!listing) return;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    if (!is_temporary(entry->d_name, name)) continue;
    int file = openat(dirfd(listing), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) continue;
    if (flock(file, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(listing), entry->d_name, 0);
    close(file);
  }
  closedir(listing);
}

/* Creates and locks FOLDER/.NAME.PID-COUNT.tmp; its name is malloc'd. Gives the descriptor, -1 with errno. */
static int open_temporary(const char *folder, const char *name, char **temporary) {
  static atomic_uint count;
  for (int attempt = 0; attempt < 100; attempt++) {
    if (asprintf(temporary, "%s/.%s.%ld-%u.tmp", folder, name, (long)getpid(), atomic_fetch_add(&count, 1)) <
        0) {
      *temporary = NULL;
      errno = ENOMEM;
      return -1;
    }
    int file = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno != EEXIST) return -1;
    struct stat now;
    /* Between our open and our lock another process may have removed the file as a leftover. */
    if (file >= 0) {
      flock(file,
            LOCK_EX); /* a file system without locks: no leftovers are recognised, nothing else changes */
      if (fstat(file, &now) == 0 && now.st_nlink > 0) return file;
      close(file);
    }
    free(*temporary);
    *temporary = NULL;
  }
  errno = EEXIST;
  return -1;
}

static int write_all(int file, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(file, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    length -= (size_t)written;
  }
  return fsync(file) == 0 ? 0 : errno;
}

/* Makes the rename itself durable. A file system that cannot sync a folder says EINVAL: no failure. */
static int sync_folder(const char *folder) {
  int handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return errno == EACCES ? 0 : errno; /* writable but not readable: cannot be synced */
  int error = fsync(handle) == 0 || errno == EINVAL ? 0 : errno;
  close(handle);
  return error;
}

/* Returns 0 or an errno; whatever fails, the temporary file is gone afterwards. */
static int write_and_rename(const char *folder, const char *path, const char *bytes, size_t length) {
  char *temporary = NULL;
  int file = open_temporary(folder, name_of(path), &temporary);
  int error = file < 0 ? errno : write_all(file, bytes, length);
  if (!error && rename(temporary, path) != 0) error = errno;
  if (error && file >= 0) unlink(temporary);
  if (file >= 0 && close(file) != 0 && !error) error = errno;
  if (!error) error = sync_folder(folder);
  free(temporary);
  return error;
}

wal_status wal_write_file(const char *path, const char *bytes, size_t length) {
  wal_status status = wal_make_parent(path);
  if (status) return status;
  char *folder = folder_of(path);
  if (!folder) return wal_fail(WAL_E_MEMORY, "no memory to write %s", path);
  remove_leftovers(folder, name_of(path));
  int error = write_and_rename(folder, path, bytes, length);
  free(folder);
  return error ? fail_errno("write", path, error) : WAL_OK;
}

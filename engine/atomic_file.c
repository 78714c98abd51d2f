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
  return 0;
}

/* Makes the rename itself durable. A file system that cannot sync a folder says EINVAL: no failure. */
static int sync_folder(const char *folder) {
  int handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return errno == EACCES ? 0 : errno; /* writable but not readable: cannot be synced */
  int error = fsync(handle) == 0 || errno == EINVAL ? 0 : errno;
  close(handle);
  return error;
}

struct wal_new_file {
  char *path, *folder, *temporary; /* owned */
  int file;                        /* of the temporary file, locked; -1: none */
};

static void free_new_file(wal_new_file *file) {
  if (file->file >= 0) close(file->file);
  free(file->path);
  free(file->folder);
  free(file->temporary);
  free(file);
}

/* A rename would replace a device or a pipe by a plain file. */
static wal_status check_target(const char *path) {
  struct stat found;
  if (stat(path, &found) != 0 || S_ISREG(found.st_mode)) return WAL_OK;
  if (S_ISDIR(found.st_mode)) return fail_errno("write", path, EISDIR);
  return wal_fail(WAL_E_IO, "cannot write %s: it is not a regular file (choose another name)", path);
}

wal_status wal_new_file_begin(const char *path, wal_new_file **out) {
  *out = NULL;
  wal_status status = check_target(path);
  if (!status) status = wal_make_parent(path);
  if (status) return status;
  wal_new_file *file = calloc(1, sizeof *file);
  if (file) *file = (wal_new_file){.path = strdup(path), .folder = folder_of(path), .file = -1};
  if (!file || !file->path || !file->folder) {
    if (file) free_new_file(file);
    return wal_fail(WAL_E_MEMORY, "no memory to write %s", path);
  }
  remove_leftovers(file->folder, name_of(path));
  file->file = open_temporary(file->folder, name_of(path), &file->temporary);
  if (file->file < 0) {
    int error = errno;
    free_new_file(file);
    return fail_errno("write", path, error);
  }
  *out = file;
  return WAL_OK;
}

const char *wal_new_file_temporary(const wal_new_file *file) { return file->temporary; }

void wal_new_file_abandon(wal_new_file *file) {
  if (!file) return;
  unlink(file->temporary);
  free_new_file(file);
}

wal_status wal_new_file_fail(wal_new_file *file, int error) {
  wal_status status = fail_errno("write", file->path, error);
  wal_new_file_abandon(file);
  return status;
}

wal_status wal_new_file_commit(wal_new_file *file) {
  if (fsync(file->file) != 0 || rename(file->temporary, file->path) != 0)
    return wal_new_file_fail(file, errno);
  int error = sync_folder(file->folder);
  wal_status status = error ? fail_errno("write", file->path, error) : WAL_OK;
  free_new_file(file);
  return status;
}

wal_status wal_write_file(const char *path, const char *bytes, size_t length) {
  wal_new_file *file = NULL;
  wal_status status = wal_new_file_begin(path, &file);
  if (status) return status;
  int error = write_all(file->file, bytes, length);
  return error ? wal_new_file_fail(file, error) : wal_new_file_commit(file);
}

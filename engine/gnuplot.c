#include "engine/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { STDERR_KEPT = 1500 };

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* This process's environment with the locale fixed and without gnuplot's own variables. C.UTF-8 rather than
   C: in C, `set encoding utf8` draws a warning. malloc'd array of borrowed strings. */
static char **plain_environment(void) {
  size_t count = 0, kept = 0;
  while (environ[count]) count++;
  char **plain = calloc(count + 2, sizeof *plain);
  if (!plain) return NULL;
  for (size_t i = 0; i < count; i++)
    if (!starts_with(environ[i], "LC_ALL=") && !starts_with(environ[i], "GNUTERM=") &&
        !starts_with(environ[i], "GNUPLOT_"))
      plain[kept++] = environ[i];
  plain[kept] = "LC_ALL=C.UTF-8";
  return plain;
}

/* Starts gnuplot with stderr into the pipe; returns posix_spawn's error number. */
static int spawn(const char *folder, const char *script, const int pipe_ends[2], char **environment,
                 pid_t *child) {
  posix_spawn_file_actions_t actions;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return error;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder);
  char *arguments[] = {"gnuplot", "-d", (char *)script, NULL};
  error = posix_spawnp(child, "gnuplot", &actions, NULL, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* Reads to the end, keeping the first `size` - 1 bytes, so that the child never waits for a reader. */
static void drain(int descriptor, char *text, size_t size) {
  size_t used = 0;
  char buffer[512];
  for (;;) {
    ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size_t room = size - 1 - used, take = (size_t)got < room ? (size_t)got : room;
    memcpy(text + used, buffer, take);
    used += take;
  }
  while (used > 0 && (text[used - 1] == '\n' || text[used - 1] == ' ')) used--;
  text[used] = '\0';
}

static wal_status judge(const char *script, int state, const char *text) {
  while (*text == '\n') text++;
  if (WIFSIGNALED(state))
    return wal_fail(WAL_E_IO, "gnuplot %s: ended by signal %d (%s) %s", script, WTERMSIG(state),
                    strsignal(WTERMSIG(state)), text);
  if (text[0]) return wal_fail(WAL_E_IO, "gnuplot %s: %s", script, text);
  if (WEXITSTATUS(state) != 0)
    return wal_fail(WAL_E_IO, "gnuplot %s: exit code %d without a message", script, WEXITSTATUS(state));
  return WAL_OK;
}

wal_status wal_gnuplot_run(const char *folder, const char *script) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return wal_fail(WAL_E_IO, "gnuplot: no pipe: %s", strerror(errno));
  char **environment = plain_environment();
  pid_t child = -1;
  int error = environment ? spawn(folder, script, pipe_ends, environment, &child) : ENOMEM;
  free(environment);
  close(pipe_ends[1]);
  char text[STDERR_KEPT] = "";
  if (!error) drain(pipe_ends[0], text, sizeof text);
  close(pipe_ends[0]);
  if (error == ENOENT && access(folder, X_OK) == 0)
    return wal_fail(WAL_E_IO,
                    "gnuplot is not installed, so no pictures were drawn (the scripts were written); "
                    "Debian package: gnuplot-nox (apt-get install gnuplot-nox fonts-dejavu-core)");
  if (error) return wal_fail(WAL_E_IO, "cannot start gnuplot in %s: %s", folder, strerror(error));
  int state = 0;
  while (waitpid(child, &state, 0) < 0)
    if (errno != EINTR) return wal_fail(WAL_E_IO, "gnuplot %s: lost: %s", script, strerror(errno));
  return judge(script, state, text);
}

#include "engine/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct wal_progress {
  FILE *out; /* borrowed */
  bool terminal, quiet;
  int total, done;
  double started;
  double *fraction; /* [total] of each task; 1 when it ended */
  bool drawn;       /* a bar stands in the terminal's last line */
};

void wal_format_seconds(double seconds, char *out, size_t size) {
  double whole = floor(seconds + 0.5);
  if (!(seconds >= 0) || seconds > 1e8)
    snprintf(out, size, "?");
  else if (seconds < 9.95)
    snprintf(out, size, "%.2g s", seconds);
  else if (whole < 60)
    snprintf(out, size, "%.0f s", whole);
  else if (whole < 3600)
    snprintf(out, size, "%d min %02d s", (int)whole / 60, (int)whole % 60);
  else
    snprintf(out, size, "%d h %02d min", (int)(whole / 3600), (int)(whole / 60) % 60);
}

wal_progress *wal_progress_new(FILE *out, bool terminal, bool quiet, int total, double now) {
  wal_progress *progress = calloc(1, sizeof *progress);
  double *fraction = calloc((size_t)total + 1, sizeof *fraction);
  if (!progress || !fraction) {
    free(progress);
    free(fraction);
    return NULL;
  }
  *progress = (wal_progress){
      .out = out, .terminal = terminal, .quiet = quiet, .total = total, .started = now, .fraction = fraction};
  return progress;
}

static void clear_bar(wal_progress *progress) {
  if (progress->drawn) fputs("\r\033[K", progress->out);
  progress->drawn = false;
}

void wal_progress_free(wal_progress *progress) {
  if (!progress) return;
  clear_bar(progress);
  fflush(progress->out);
  free(progress->fraction);
  free(progress);
}

/* ---- The bar ---- */

enum { BAR_CELLS = 20 };

void wal_progress_bar(char *out, size_t size, int width, int done, int total, double work, double elapsed,
                      const char *what) {
  char bar[BAR_CELLS + 1], rate[32] = "", eta[32] = "?", line[512];
  double share = total > 0 ? fmin(1, fmax(0, work / total)) : 1;
  int filled = (int)(share * BAR_CELLS);
  memset(bar, '#', (size_t)filled);
  memset(bar + filled, '.', (size_t)(BAR_CELLS - filled));
  bar[BAR_CELLS] = '\0';
  if (work > 0 && elapsed > 0) {
    double per_second = work / elapsed;
    snprintf(rate, sizeof rate, per_second >= 0.1 ? "%.2g/s" : "%.2g/min",
             per_second >= 0.1 ? per_second : 60 * per_second);
    wal_format_seconds((total - work) / per_second, eta, sizeof eta);
  }
  snprintf(line, sizeof line, "[%s] %*d/%d  %s  ETA %s  %s", bar,
           total >= 100  ? 3
           : total >= 10 ? 2
                         : 1,
           done, total, rate[0] ? rate : "-", eta, what);
  snprintf(out, size, "%.*s", width > 0 ? width : 1, line);
}

static int terminal_width(FILE *out) {
  struct winsize window;
  return ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col > 20 ? window.ws_col : 80;
}

static void draw_bar(wal_progress *progress, const char *what, double now) {
  if (!progress->terminal || progress->quiet) return;
  double work = 0;
  for (int t = 0; t < progress->total; t++) work += progress->fraction[t];
  char line[512];
  wal_progress_bar(line, sizeof line, terminal_width(progress->out) - 1, progress->done, progress->total,
                   work, now - progress->started, what);
  fprintf(progress->out, "\r\033[K%s", line);
  fflush(progress->out);
  progress->drawn = true;
}

/* ---- Events ---- */

void wal_progress_update(wal_progress *progress, int task, const char *label, double fraction,
                         const char *what, double now) {
  if (fraction >= 0 && fraction <= 1) progress->fraction[task] = fraction;
  char text[256];
  snprintf(text, sizeof text, "%s%s%s", label, label[0] && what[0] ? ": " : "", what);
  draw_bar(progress, text, now);
}

void wal_progress_ended(wal_progress *progress, int task, const char *label, double seconds,
                        const char *error, double now) {
  progress->done++;
  progress->fraction[task] = 1;
  if (progress->quiet && !error) return;
  char took[32];
  wal_format_seconds(seconds, took, sizeof took);
  int digits = snprintf(NULL, 0, "%d", progress->total);
  clear_bar(progress);
  fprintf(progress->out, "[%*d/%d] %s%s", digits, progress->done, progress->total, label,
          label[0] ? "  " : "");
  if (error)
    fprintf(progress->out, "FAILED after %s: %s\n", took, error);
  else
    fprintf(progress->out, "done in %s\n", took);
  fflush(progress->out);
  if (progress->done < progress->total) draw_bar(progress, "", now);
}

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/drawing_data.h"
#include "engine/gnuplot.h"
#include "engine/store.h"

enum { STYLE_LIMIT = 1 << 20, PICTURE_LIMIT = 1 << 28 }; /* bytes */

typedef struct {
  const wal_drawing *drawing;
  const char *folder; /* plots */
  const char *style;  /* text of plots/style.gp */
  FILE *log;          /* NULL: quiet */
} painter;

/* "plots/marketfcnet/table1-a": without an ending; malloc'd, NULL: no memory. */
static char *stem_of(const painter *paint, const char *suffix) {
  char ending[64] = "";
  if (suffix[0]) snprintf(ending, sizeof ending, "-%s", suffix);
  return wal_path_join(paint->folder, paint->drawing->result->config->name, ending);
}

static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static wal_status save(const painter *paint, const char *stem, const char *ending, const char *bytes,
                       size_t length) {
  char *path = wal_path_join(".", stem, ending); /* "./" + stem: only its allocation is wanted */
  if (!path) return wal_fail(WAL_E_MEMORY, "no memory for the name of %s%s", stem, ending);
  const char *name = path + 2;
  wal_status status = wal_write_file(name, bytes, length);
  if (status == WAL_OK && paint->log) fprintf(paint->log, "%s\n", name);
  free(path);
  return status;
}

/* Writes the text and frees it. */
static wal_status save_text(const painter *paint, const char *stem, const char *ending, wal_text *text) {
  size_t length = text->length;
  char *bytes = wal_text_steal(text);
  if (!bytes) return wal_fail(WAL_E_MEMORY, "no memory for the text of %s%s", stem, ending);
  wal_status status = save(paint, stem, ending, bytes, length);
  free(bytes);
  return status;
}

static wal_status save_table(const painter *paint, const wal_table *table) {
  char *stem = stem_of(paint, table->suffix);
  if (!stem) return wal_fail(WAL_E_MEMORY, "no memory for a table's name");
  wal_text text = {0};
  wal_table_csv(table, &text);
  wal_status status = save_text(paint, stem, ".csv", &text);
  if (status == WAL_OK) {
    wal_table_markdown(table, &text);
    status = save_text(paint, stem, ".md", &text);
  }
  if (status == WAL_OK) {
    wal_table_latex(table, base_of(stem), &text);
    status = save_text(paint, stem, ".tex", &text);
  }
  free(stem);
  return status;
}

static wal_status save_script(const painter *paint, const wal_figure *figure) {
  char *stem = stem_of(paint, figure->suffix);
  if (!stem) return wal_fail(WAL_E_MEMORY, "no memory for a figure's name");
  wal_text text = {0};
  wal_figure_script(figure, base_of(stem), paint->style, &text);
  wal_status status = save_text(paint, stem, ".gp", &text);
  free(stem);
  return status;
}

/* ---- pictures: drawn in a folder of their own, so that none is ever half there ---- */

/* Copies TEMPORARY/NAME.svg to its place; an empty picture is a failure. The temporary one is removed. */
static wal_status move_picture(const painter *paint, const char *temporary, const char *stem,
                               const char *ending) {
  char *from = wal_path_join(temporary, base_of(stem), ending), *bytes = NULL;
  if (!from) return wal_fail(WAL_E_MEMORY, "no memory for the name of %s%s", stem, ending);
  size_t length = 0;
  wal_status status = wal_read_file(from, PICTURE_LIMIT, &bytes, &length);
  if (status == WAL_OK && length == 0) status = wal_fail(WAL_E_IO, "gnuplot drew an empty picture");
  if (status == WAL_OK)
    status = save(paint, stem, ending, bytes, length);
  else
    status = wal_fail_in(status, "%s%s: ", stem, ending);
  unlink(from);
  free(bytes);
  free(from);
  return status;
}

static wal_status draw_in(const painter *paint, const char *temporary, const char *stem) {
  static const char *const endings[] = {".svg", ".png", ".pdf"};
  char *script = wal_path_join(".", stem, ".gp");
  char *absolute = script ? realpath(script + 2, NULL) : NULL;
  wal_status status = absolute ? wal_gnuplot_run(temporary, absolute)
                               : wal_fail(WAL_E_IO, "%s.gp: cannot be found again", stem);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    if (status == WAL_OK) {
      status = move_picture(paint, temporary, stem, endings[i]);
    } else { /* what gnuplot may have left */
      char *left = wal_path_join(temporary, base_of(stem), endings[i]);
      if (left) unlink(left);
      free(left);
    }
  }
  free(absolute);
  free(script);
  return status;
}

static wal_status draw_pictures(const painter *paint, const wal_figure *figure) {
  char *stem = stem_of(paint, figure->suffix);
  const char *folder = getenv("TMPDIR");
  char *temporary = wal_path_join(folder && folder[0] ? folder : "/tmp", "walras-plot-XXXXXX", "");
  wal_status status = WAL_OK;
  if (!stem || !temporary) {
    status = wal_fail(WAL_E_MEMORY, "no memory for a figure's name");
  } else if (!mkdtemp(temporary)) {
    status = wal_fail(WAL_E_IO, "%s: no temporary folder can be made there; set TMPDIR to a writable one",
                      temporary);
  } else {
    status = draw_in(paint, temporary, stem);
    rmdir(temporary);
  }
  free(temporary);
  free(stem);
  return status;
}

/* Scripts and tables before pictures: they need no gnuplot. A picture that fails keeps no other back. */
static wal_status save_all(const painter *paint) {
  const wal_drawing *drawing = paint->drawing;
  wal_status status = WAL_OK;
  for (int i = 0; i < drawing->table_count && status == WAL_OK; i++)
    status = save_table(paint, drawing->tables[i]);
  for (int i = 0; i < drawing->figure_count && status == WAL_OK; i++)
    status = save_script(paint, drawing->figures[i]);
  if (status != WAL_OK) return status;
  wal_text first = {0}; /* message of the first failure */
  for (int i = 0; i < drawing->figure_count; i++) {
    wal_status drawn = draw_pictures(paint, drawing->figures[i]);
    if (status != WAL_OK || drawn == WAL_OK) continue;
    status = drawn;
    wal_text_add(&first, "%s", wal_error());
  }
  if (status != WAL_OK && first.data) wal_fail(status, "%s", first.data);
  wal_text_free(&first);
  return status;
}

wal_status wal_draw(const wal_result *result, const char *plots_folder, const char *style, FILE *log) {
  char *style_text = NULL;
  wal_status status = wal_read_file(style, STYLE_LIMIT, &style_text, &(size_t){0});
  if (status != WAL_OK) return wal_fail_in(status, "style of the pictures: ");
  wal_drawing *drawing = wal_drawing_new(result);
  if (drawing) status = result->config->experiment->draw(result, drawing);
  if (!drawing || drawing->no_memory) status = wal_fail(WAL_E_MEMORY, "no memory for the pictures");
  if (status == WAL_OK) status = save_all(&(painter){drawing, plots_folder, style_text, log});
  wal_drawing_free(drawing);
  free(style_text);
  return status;
}

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing_data.h"

enum { NUMBER_MAX = 96, WIDE = 8 /* columns that fit a page */ };

/* ---- what the three formats share ---- */

typedef void escaper(wal_text *out, const char *text);

static const wal_cell *cell_at(const wal_table *table, int row, int column) {
  return &table->rows[row][column];
}

static const char *format_of(const wal_table *table, int column) {
  const char *format = table->columns[column].format;
  return format ? format : "%g";
}

static bool has_sd(const wal_cell *cell) {
  return cell->kind == WAL_CELL_REAL && cell->count > 1 && isfinite(cell->mean) && isfinite(cell->sd);
}

/* The conversion letter of a printf format: e, f or g. */
static char conversion_of(const char *format) {
  const char *last = strpbrk(format, "eEfFgG");
  return last ? (char)tolower((unsigned char)*last) : 'g';
}

/* A number in its column's format; zero without the clutter of 0.00e+00. */
static void format_number(const char *format, double value, char out[NUMBER_MAX]) {
  if (value == 0)
    snprintf(out, NUMBER_MAX, "0");
  else
    snprintf(out, NUMBER_MAX, format, value);
}

/* A deviation with the one or two digits that mean something: 4e-05, 0.042, 12; or in the mean's format. */
static void format_sd(const char *format, double sd, char out[NUMBER_MAX]) {
  char conversion = conversion_of(format);
  if (conversion == 'f' || sd == 0)
    format_number(format, sd, out);
  else if (conversion == 'e')
    snprintf(out, NUMBER_MAX, "%.0e", sd);
  else
    snprintf(out, NUMBER_MAX, sd >= 10 ? "%.0f" : "%.2g", sd);
}

/* "1.23e-03 ± 4e-05" */
static void format_plain(const char *format, const wal_cell *cell, wal_text *out) {
  char mean[NUMBER_MAX], sd[NUMBER_MAX];
  format_number(format, cell->mean, mean);
  wal_text_add(out, "%s", mean);
  if (!has_sd(cell)) return;
  format_sd(format, cell->sd, sd);
  wal_text_add(out, " ± %s", sd);
}

/* The whole caption: the table's, then the config's. */
static void add_caption(const wal_table *table, escaper *escape, wal_text *out) {
  const char *own = table->caption, *config = table->drawing->result->config->caption;
  escape(out, own);
  if (!config[0] || strcmp(own, config) == 0) return;
  bool stops = own[0] == '\0' || strchr(".!?", own[strlen(own) - 1]) != NULL;
  if (own[0]) wal_text_add(out, stops ? " " : ". ");
  escape(out, config);
}

/* Is this the first failed cell, in reading order, with its reason? */
static bool new_reason(const wal_table *table, int row, int column) {
  const char *why = cell_at(table, row, column)->text;
  for (int r = 0; r <= row; r++)
    for (int c = 0; c < (r == row ? column : table->column_count); c++) {
      const wal_cell *cell = cell_at(table, r, c);
      if (cell->kind == WAL_CELL_FAILED && cell->text && why && strcmp(cell->text, why) == 0) return false;
    }
  return why && why[0];
}

/* Every note and every reason of a failure, between `before` and `after`. */
static void add_notes(const wal_table *table, escaper *escape, const char *before, const char *after,
                      wal_text *out) {
  for (int i = 0; i < table->note_count; i++) {
    wal_text_add(out, "%s", before);
    escape(out, table->notes[i]);
    wal_text_add(out, "%s", after);
  }
  for (int r = 0; r < table->row_count; r++)
    for (int c = 0; c < table->column_count; c++) {
      const wal_cell *cell = cell_at(table, r, c);
      if (cell->kind != WAL_CELL_FAILED || !new_reason(table, r, c)) continue;
      wal_text_add(out, "%sfailed: ", before);
      escape(out, cell->text);
      wal_text_add(out, "%s", after);
    }
}

/* ---- CSV: for machines; full precision, deviation and count in columns of their own ---- */

static void escape_csv(wal_text *out, const char *text) {
  if (!strpbrk(text, ",\"\r\n")) {
    wal_text_add(out, "%s", text);
    return;
  }
  wal_text_add_bytes(out, "\"", 1);
  for (; *text; text++) wal_text_add_bytes(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
  wal_text_add_bytes(out, "\"", 1);
}

static void add_csv_number(wal_text *out, double value) {
  char text[NUMBER_MAX] = "";
  wal_value number = {.type = WAL_REAL, .r = value};
  if (!isnan(value)) wal_value_format(&number, text, sizeof text);
  wal_text_add(out, "%s", text);
}

static bool column_has_sd(const wal_table *table, int column) {
  for (int r = 0; r < table->row_count; r++)
    if (has_sd(cell_at(table, r, column))) return true;
  return false;
}

static void add_csv_header(const wal_table *table, int column, const char *ending, wal_text *out) {
  const wal_table_head *head = &table->columns[column];
  wal_text name = {0};
  wal_text_add(&name, "%s%s%s%s", head->group ? head->group : "", head->group ? " " : "", head->header,
               ending);
  char *text = wal_text_steal(&name);
  if (text) escape_csv(out, text);
  if (!text) out->failed = true;
  free(text);
}

static void add_csv_cell(const wal_cell *cell, bool sd, wal_text *out) {
  if (cell->kind == WAL_CELL_TEXT) escape_csv(out, cell->text ? cell->text : "");
  if (cell->kind == WAL_CELL_FAILED) wal_text_add(out, "failed");
  if (cell->kind == WAL_CELL_REAL) add_csv_number(out, cell->mean);
  if (!sd) return;
  wal_text_add(out, ",");
  if (has_sd(cell)) add_csv_number(out, cell->sd);
  wal_text_add(out, ",");
  if (cell->kind == WAL_CELL_REAL) wal_text_add(out, "%d", cell->count);
}

void wal_table_csv(const wal_table *table, wal_text *out) {
  for (int c = 0; c < table->column_count; c++) {
    if (c > 0) wal_text_add(out, ",");
    add_csv_header(table, c, "", out);
    if (!column_has_sd(table, c)) continue;
    wal_text_add(out, ",");
    add_csv_header(table, c, " sd", out);
    wal_text_add(out, ",");
    add_csv_header(table, c, " n", out);
  }
  wal_text_add(out, "\n");
  for (int r = 0; r < table->row_count; r++) {
    for (int c = 0; c < table->column_count; c++) {
      if (c > 0) wal_text_add(out, ",");
      add_csv_cell(cell_at(table, r, c), column_has_sd(table, c), out);
    }
    wal_text_add(out, "\n");
  }
}

/* ---- Markdown: aligned, so that it reads well as plain text too ---- */

static void escape_markdown(wal_text *out, const char *text) {
  for (; *text; text++) {
    if (iscntrl((unsigned char)*text))
      wal_text_add_bytes(out, " ", 1);
    else
      wal_text_add(out, strchr("|\\`*<", *text) ? "\\%c" : "%c", *text);
  }
}

/* Characters as a terminal shows them: bytes that do not continue a UTF-8 sequence. */
static int shown_width(const char *text) {
  int width = 0;
  for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
  return width;
}

/* Is the column the first of its group? */
static bool opens_group(const wal_table *table, int column) {
  const char *group = table->columns[column].group;
  const char *before = column > 0 ? table->columns[column - 1].group : NULL;
  return group && !(before && strcmp(group, before) == 0);
}

/* Row -1 is the header, where the first column of a group tells its name. malloc'd; NULL: no memory. */
static char *markdown_cell(const wal_table *table, int row, int column) {
  wal_text text = {0};
  if (row < 0) {
    const wal_table_head *head = &table->columns[column];
    if (opens_group(table, column)) {
      escape_markdown(&text, head->group);
      wal_text_add(&text, ": ");
    }
    escape_markdown(&text, head->header);
    return wal_text_steal(&text);
  }
  const wal_cell *cell = cell_at(table, row, column);
  if (cell->kind == WAL_CELL_TEXT)
    escape_markdown(&text, cell->text ? cell->text : "");
  else if (cell->kind == WAL_CELL_FAILED)
    wal_text_add(&text, "failed");
  else if (cell->kind == WAL_CELL_REAL && !isnan(cell->mean))
    format_plain(format_of(table, column), cell, &text);
  else
    wal_text_add(&text, "--");
  return wal_text_steal(&text);
}

static int markdown_width(const wal_table *table, int column) {
  int widest = 3; /* the rule needs three dashes */
  for (int r = -1; r < table->row_count; r++) {
    char *text = markdown_cell(table, r, column);
    if (text && shown_width(text) > widest) widest = shown_width(text);
    free(text);
  }
  return widest;
}

static void add_markdown_row(const wal_table *table, int row, const int widths[], wal_text *out) {
  for (int c = 0; c < table->column_count; c++) {
    char *text = markdown_cell(table, row, c);
    if (!text) out->failed = true;
    int pad = text ? widths[c] - shown_width(text) : 0;
    bool number = table->columns[c].format != NULL;
    wal_text_add(out, "| %*s%s%*s ", number ? pad : 0, "", text ? text : "", number ? 0 : pad, "");
    free(text);
  }
  wal_text_add(out, "|\n");
}

static void add_markdown_rule(const wal_table *table, const int widths[], wal_text *out) {
  for (int c = 0; c < table->column_count; c++) {
    bool number = table->columns[c].format != NULL;
    wal_text_add(out, number ? "|-" : "|:");
    for (int i = 0; i < widths[c]; i++) wal_text_add_bytes(out, "-", 1);
    wal_text_add(out, number ? ":" : "-");
  }
  wal_text_add(out, "|\n");
}

void wal_table_markdown(const wal_table *table, wal_text *out) {
  int *widths = calloc((size_t)table->column_count + 1, sizeof *widths); /* [column_count] */
  if (!widths) {
    out->failed = true;
    return;
  }
  for (int c = 0; c < table->column_count; c++) widths[c] = markdown_width(table, c);
  add_caption(table, escape_markdown, out);
  wal_text_add(out, "\n\n");
  add_markdown_row(table, -1, widths, out);
  add_markdown_rule(table, widths, out);
  for (int r = 0; r < table->row_count; r++) add_markdown_row(table, r, widths, out);
  wal_text_add(out, "\n");
  add_notes(table, escape_markdown, "- ", "\n", out);
  free(widths);
}

/* ---- LaTeX with booktabs ---- */

static void escape_latex(wal_text *out, const char *text) {
  for (; *text; text++) {
    if (strchr("&%$#_{}", *text))
      wal_text_add(out, "\\%c", *text);
    else if (*text == '\\')
      wal_text_add(out, "\\textbackslash{}");
    else if (*text == '~')
      wal_text_add(out, "\\textasciitilde{}");
    else if (*text == '^')
      wal_text_add(out, "\\textasciicircum{}");
    else if (strchr("<>|", *text))
      wal_text_add(out, "$%c$", *text);
    else if (strncmp(text, "±", strlen("±")) == 0) {
      wal_text_add(out, "$\\pm$");
      text += strlen("±") - 1;
    } else
      wal_text_add(out, "%c", iscntrl((unsigned char)*text) ? ' ' : *text);
  }
}

/* 1.23\times10^{-3} from "1.23e-03"; numbers without an exponent as they are. Not finite: in words. */
static void add_latex_number(const char *number, wal_text *out) {
  const char *e = strchr(number, 'e');
  if (e && isdigit((unsigned char)number[strlen(number) - 1]))
    wal_text_add(out, "%.*s\\times10^{%d}", (int)(e - number), number, atoi(e + 1));
  else
    wal_text_add(out, strstr(number, "inf") ? "\\mathrm{%s}" : "%s", number);
}

/* (1.23\pm0.04)\times10^{-3}: the deviation on the mean's power of ten, with the mean's digits; apart from it
   where those would round it away. */
static void add_latex_mean_sd(const char *mean, const char *format, double sd, wal_text *out) {
  const char *e = strchr(mean, 'e');
  int exponent = e ? atoi(e + 1) : 0;
  const char *point = e ? memchr(mean, '.', (size_t)(e - mean)) : NULL;
  int digits = point ? (int)(e - point - 1) : 0;
  double scaled = sd / pow(10, exponent);
  if (e && (sd == 0 || scaled >= 0.5 * pow(10, -digits))) {
    wal_text_add(out, "(%.*s\\pm%.*f)\\times10^{%d}", (int)(e - mean), mean, digits, scaled, exponent);
    return;
  }
  char deviation[NUMBER_MAX];
  format_sd(format, sd, deviation);
  add_latex_number(mean, out);
  wal_text_add(out, "\\pm");
  add_latex_number(deviation, out);
}

static void add_latex_cell(const wal_table *table, int row, int column, wal_text *out) {
  const wal_cell *cell = cell_at(table, row, column);
  if (cell->kind == WAL_CELL_TEXT) {
    escape_latex(out, cell->text ? cell->text : "");
  } else if (cell->kind == WAL_CELL_FAILED) {
    wal_text_add(out, "\\textit{failed}");
  } else if (cell->kind == WAL_CELL_REAL && !isnan(cell->mean)) {
    char mean[NUMBER_MAX];
    format_number(format_of(table, column), cell->mean, mean);
    wal_text_add(out, "$");
    if (has_sd(cell))
      add_latex_mean_sd(mean, format_of(table, column), cell->sd, out);
    else
      add_latex_number(mean, out);
    wal_text_add(out, "$");
  } else {
    wal_text_add(out, "--");
  }
}

/* One past the last neighbour of the same group. */
static int group_end(const wal_table *table, int column) {
  const char *group = table->columns[column].group;
  int end = column + 1;
  while (group && end < table->column_count && table->columns[end].group &&
         strcmp(table->columns[end].group, group) == 0)
    end++;
  return end;
}

static void add_latex_groups(const wal_table *table, wal_text *out) {
  wal_text rules = {0};
  for (int c = 0, end; c < table->column_count; c = end) {
    end = group_end(table, c);
    if (c > 0) wal_text_add(out, " & ");
    if (!table->columns[c].group) continue;
    wal_text_add(out, "\\multicolumn{%d}{c}{", end - c);
    escape_latex(out, table->columns[c].group);
    wal_text_add(out, "}");
    wal_text_add(&rules, "\\cmidrule(lr){%d-%d}", c + 1, end);
  }
  char *text = wal_text_steal(&rules);
  if (!text) out->failed = true;
  if (text && text[0]) wal_text_add(out, " \\\\\n%s\n", text);
  free(text);
}

static bool any_group(const wal_table *table) {
  for (int c = 0; c < table->column_count; c++)
    if (table->columns[c].group) return true;
  return false;
}

static void add_latex_head(const wal_table *table, wal_text *out) {
  wal_text_add(out, "\\begin{tabular}{");
  for (int c = 0; c < table->column_count; c++) wal_text_add(out, table->columns[c].format ? "r" : "l");
  wal_text_add(out, "}\n\\toprule\n");
  if (any_group(table)) add_latex_groups(table, out);
  for (int c = 0; c < table->column_count; c++) {
    if (c > 0) wal_text_add(out, " & ");
    escape_latex(out, table->columns[c].header);
  }
  wal_text_add(out, " \\\\\n\\midrule\n");
}

static void add_latex_rows(const wal_table *table, wal_text *out) {
  for (int r = 0; r < table->row_count; r++) {
    for (int c = 0; c < table->column_count; c++) {
      if (c > 0) wal_text_add(out, " & ");
      add_latex_cell(table, r, c, out);
    }
    wal_text_add(out, " \\\\\n");
  }
}

void wal_table_latex(const wal_table *table, const char *label, wal_text *out) {
  const wal_config *config = table->drawing->result->config;
  bool wide = table->column_count > WIDE;
  wal_text_add(out, "%% %s, version %d, profile %s; made by walras, not to be edited.\n",
               config->experiment->id, config->experiment->version, config->profile);
  wal_text_add(out, "%% Needs \\usepackage{booktabs%s}\n", wide ? ",graphicx" : "");
  wal_text_add(out, "\\begin{table}\n\\centering\n\\caption{");
  add_caption(table, escape_latex, out);
  wal_text_add(out, "}\n\\label{tab:%s}\n", label);
  if (wide) wal_text_add(out, "\\resizebox{\\linewidth}{!}{%%\n");
  add_latex_head(table, out);
  add_latex_rows(table, out);
  wal_text_add(out, "\\bottomrule\n\\end{tabular}%s\n\n\\smallskip\n", wide ? "}" : "");
  wal_text_add(out, "\\begin{minipage}{\\linewidth}\\footnotesize\n");
  add_notes(table, escape_latex, "", ".\n", out);
  wal_text_add(out, "\\end{minipage}\n\\end{table}\n");
}

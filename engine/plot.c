#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing_data.h"

/* Sizes on paper, cm, for the fonts of plots/style.gp (7 pt, small 6.2 pt). */
static const double small_char_cm =
    0.124;                          /* mean width of a character of small text: ticks, legends, captions */
static const double line_cm = 0.30; /* height of a line of it */
static const double title_cm = 0.55, tick_cm = 0.42, label_cm = 0.40;
static const double right_cm = 0.30, top_cm = 0.22;

/* ---- text that gnuplot may not take for its own ---- */

/* Characters on paper: bytes that do not continue a UTF-8 sequence. */
static int width_of(const char *text) {
  int width = 0;
  for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
  return width;
}

/* 'text': single quotes run nothing (no `command`, no @macro, no \escape). A quote in it becomes a
   typographic one, since gnuplot 5.4 misreads a doubled quote at the beginning; control characters (a newline
   would end the command) become spaces. Always drawn `noenhanced`, so _ ^ { } are themselves. */
static void quote_bytes(wal_text *out, const char *text, size_t length) {
  wal_text_add_bytes(out, "'", 1);
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\'')
      wal_text_add(out, "’");
    else
      wal_text_add_bytes(out, iscntrl((unsigned char)text[i]) ? " " : &text[i], 1);
  }
  wal_text_add_bytes(out, "'", 1);
}

static void quote(wal_text *out, const char *text) { quote_bytes(out, text, strlen(text)); }

/* "# prefix text": one comment line per line of text. A backslash at a line's end would carry the comment
   over the next command, so a full stop follows it. */
static void comment(wal_text *out, const char *prefix, const char *text) {
  do {
    size_t length = strcspn(text, "\r\n");
    wal_text_add(out, "# %s", prefix);
    for (size_t i = 0; i < length; i++)
      wal_text_add_bytes(out, iscntrl((unsigned char)text[i]) ? " " : &text[i], 1);
    if (length > 0 && text[length - 1] == '\\') wal_text_add(out, ".");
    wal_text_add(out, "\n");
    text += length + (text[length] != '\0');
  } while (*text);
}

/* ---- head: where the picture came from ---- */

/* The config's path without this machine's folders. */
static const char *portable_path(const char *path) {
  if (path[0] != '/') return path;
  const char *configs = strstr(path, "/configs/");
  return configs ? configs + 1 : strrchr(path, '/') + 1;
}

static void print_command(const wal_config *config, wal_text *out) {
  wal_text line = {0};
  wal_text_add(&line, "build/walras run %s --profile %s", portable_path(config->path), config->profile);
  for (const char *set = config->sets; *set;) {
    int length = (int)strcspn(set, "\n");
    wal_text_add(&line, " --set %.*s", length, set);
    set += length + (set[length] == '\n');
  }
  char *text = wal_text_steal(&line);
  if (text) comment(out, "Made by:    ", text);
  if (!text) out->failed = true;
  free(text);
}

static void print_head(const wal_figure *figure, const char *name, wal_text *out) {
  const wal_result *result = figure->drawing->result;
  const wal_config *config = result->config;
  comment(out, "", figure->title[0] ? figure->title : config->title);
  comment(out, "", config->experiment->paper);
  wal_text_add(out, "#\n");
  wal_text_add(out, "# Draw:       gnuplot %s.gp                  -> %s.svg, %s.png, %s.pdf here\n", name,
               name, name, name);
  wal_text_add(out, "#             gnuplot -e \"out='x'\" %s.gp    -> x.svg, x.png, x.pdf\n", name);
  wal_text_add(out, "# Experiment: %s, version %d\n", config->experiment->id, config->experiment->version);
  print_command(config, out);
  for (int i = 0; i < result->provenance.count; i++)
    if (strstr(result->provenance.names[i], "commit"))
      comment(out, "Commit:     ", result->provenance.values[i]);
  wal_text_add(out, "\nif (!exists('out')) out = ");
  quote(out, name);
  wal_text_add(out, "\n");
}

/* ---- data ---- */

/* $p1s2_name: a datablock's name from a series' name. */
static void print_block_name(const wal_series *series, int panel, int index, wal_text *out) {
  wal_text_add(out, "$p%ds%d_", panel + 1, index + 1);
  for (const char *c = series->name; *c; c++) {
    bool plain = isascii(*c) && isalnum((unsigned char)*c);
    char safe = plain ? (char)tolower((unsigned char)*c) : '_';
    wal_text_add_bytes(out, &safe, 1);
  }
}

static int visible_count(const wal_series *series) {
  int count = 0;
  for (int i = 0; i < series->count; i++) count += wal_dot_visible(series, &series->dots[i]);
  return count;
}

static bool has_error_bars(const wal_series *series) {
  for (int i = 0; i < series->count; i++)
    if (isfinite(series->dots[i].low) || isfinite(series->dots[i].high)) return true;
  return false;
}

static void print_number(wal_text *out, double value) {
  if (isfinite(value))
    wal_text_add(out, " %12.9g", value);
  else
    wal_text_add(out, " %12s", "NaN");
}

/* The dot as its axes can show it: a lower end at or below 0 stops at the foot of a log axis, an upper one is
   none; a band without ends is as thin as its line. */
static wal_dot shown(const wal_series *series, wal_dot dot, double foot) {
  bool log = series->panel->log_y;
  if (log && dot.low <= 0) dot.low = foot;
  if (log && dot.high <= 0) dot.high = NAN;
  bool ends = series->kind == WAL_BAND || isfinite(dot.low) || isfinite(dot.high);
  if (ends && !isfinite(dot.low)) dot.low = dot.y;
  if (ends && !isfinite(dot.high)) dot.high = dot.y;
  if (series->kind == WAL_RULE) dot.x = 0;
  return dot;
}

static void print_series_data(const wal_series *series, int panel, int index, double foot, wal_text *out) {
  wal_text_add(out, "\n");
  wal_text where = {0};
  wal_text_add(&where, "%s%s%s%s", series->panel->title, series->panel->title[0] ? ": " : "", series->name,
               series->kind == WAL_HOLLOW ? " (published)" : "");
  char *text = wal_text_steal(&where);
  if (text) comment(out, "", text);
  if (!text) out->failed = true;
  free(text);
  print_block_name(series, panel, index, out);
  wal_text_add(out, " <<EOD\n%13s %12s %12s %12s\n", "x", "y", "low", "high");
  for (int i = 0; i < series->count; i++) {
    bool visible = wal_dot_visible(series, &series->dots[i]);
    if (!visible && series->kind != WAL_LINES) continue;
    wal_dot dot = shown(series, series->dots[i], foot);
    if (!visible) dot.y = dot.low = dot.high = NAN; /* the line breaks instead of bridging the hole */
    print_number(out, dot.x);
    print_number(out, dot.y);
    print_number(out, dot.low);
    print_number(out, dot.high);
    wal_text_add(out, "\n");
  }
  wal_text_add(out, "EOD\n");
}

/* Raw lines: datablocks ($name << END ... END) stand before the pictures; commands in the panel. */
static void print_raw(const char *raw, bool blocks, const char *indent, wal_text *out) {
  char end[64] = "";
  for (const char *line = raw; line && *line;) {
    size_t length = strcspn(line, "\n");
    bool inside = end[0] != '\0';
    if (!inside && line[0] == '$') {
      const char *mark = strstr(line, "<<");
      if (mark && mark < line + length && sscanf(mark + 2, " %63s", end) == 1) inside = true;
    } else if (inside && strlen(end) == length && strncmp(line, end, length) == 0) {
      end[0] = '\0';
    }
    if (inside == blocks) wal_text_add(out, "%s%.*s\n", inside ? "" : indent, (int)length, line);
    line += length + (line[length] == '\n');
  }
}

static bool raw_plots(const wal_panel *panel) {
  const char *raw = panel->raw.data;
  return raw && (strncmp(raw, "plot", 4) == 0 || strstr(raw, "\nplot") || strncmp(raw, "splot", 5) == 0 ||
                 strstr(raw, "\nsplot"));
}

/* ---- legends ---- */

/* The series of ours with a published one's name, -1: none. They share colour and legend entry. */
static int namesake(const wal_panel *panel, int index) {
  for (int s = 0; s < panel->series_count; s++)
    if (s != index && panel->series[s]->kind != WAL_HOLLOW &&
        strcmp(panel->series[s]->name, panel->series[index]->name) == 0)
      return s;
  return -1;
}

typedef struct {
  int entries, rows;
  bool published; /* one entry for all hollow markers */
} legend_size;

static legend_size size_legend(const wal_panel *panel, double width_cm) {
  legend_size size = {0};
  if (!panel->legend) return size;
  int longest = 0;
  for (int s = 0; s < panel->series_count; s++) {
    const wal_series *series = panel->series[s];
    if (visible_count(series) == 0 || !series->name[0]) continue;
    if (series->kind == WAL_HOLLOW && namesake(panel, s) >= 0) {
      size.published = true;
    } else {
      size.entries++;
      longest = width_of(series->name) > longest ? width_of(series->name) : longest;
    }
  }
  if (size.published) {
    size.entries++;
    if (longest < 9) longest = 9; /* "published" */
  }
  int columns = (int)(width_cm / (longest * small_char_cm + 0.95));
  if (columns < 1) columns = 1;
  size.rows = (size.entries + columns - 1) / columns;
  return size;
}

/* ---- layout ---- */

typedef struct {
  double width, height;             /* of the page, cm */
  double left, right, top, bottom;  /* around the panels' frames, cm */
  double gap_x, gap_y;              /* between the frames, cm */
  double panel_width, panel_height; /* of a frame, cm */
  double below;                     /* from a frame to the foot of its x label, cm */
  double tilt;                      /* category labels: degrees, 0: level */
  int caption_lines;
} layout;

static bool any_text(const wal_figure *figure, size_t offset) {
  for (int p = 0; p < figure->panel_count; p++)
    if ((*(char *const *)((const char *)figure->panels[p] + offset))[0]) return true;
  return false;
}

static int longest_category(const wal_figure *figure) {
  int longest = 0;
  for (int p = 0; p < figure->panel_count; p++)
    for (int i = 0; i < figure->panels[p]->category_count; i++) {
      int width = width_of(figure->panels[p]->categories[i].label);
      if (width > longest) longest = width;
    }
  return longest;
}

static int most_categories(const wal_figure *figure) {
  int most = 0;
  for (int p = 0; p < figure->panel_count; p++)
    if (figure->panels[p]->category_count > most) most = figure->panels[p]->category_count;
  return most;
}

/* Characters of the widest tick label of a y axis, about. */
static double tick_width(const wal_panel *panel) {
  wal_span span = wal_panel_y_span(panel, 0);
  if (panel->log_y) return 4; /* 10^{-3} */
  if (isnan(span.min) || isnan(span.max) || !(span.max > span.min)) return 5;
  double largest = fmax(fabs(span.min), fabs(span.max));
  if (largest >= 1e6 || largest < 1e-4) return 6; /* 1.5x10^{6} */
  double step = floor(log10((span.max - span.min) / 5)), whole = fmax(floor(log10(largest)), 0) + 1;
  return whole + (step < 0 ? 1 - step : 0) + (span.min < 0);
}

static double widest_tick(const wal_figure *figure) {
  double widest = 1;
  for (int p = 0; p < figure->panel_count; p++) widest = fmax(widest, tick_width(figure->panels[p]));
  return widest;
}

static layout lay_out(const wal_figure *figure, int caption_lines) {
  bool xlabel = any_text(figure, offsetof(wal_panel, xlabel)),
       ylabel = any_text(figure, offsetof(wal_panel, ylabel));
  bool titles = any_text(figure, offsetof(wal_panel, title));
  layout page = {.width = figure->width_cm, .right = right_cm, .caption_lines = caption_lines};
  double beside = widest_tick(figure) * small_char_cm + 0.35 + (ylabel ? label_cm : 0);
  page.gap_x = beside + right_cm;
  page.left = beside;
  page.panel_width =
      (page.width - page.left - page.right - (figure->columns - 1) * page.gap_x) / figure->columns;
  double below = tick_cm + (xlabel ? label_cm : 0);
  double label = longest_category(figure) * small_char_cm;
  if (label > 0.95 * page.panel_width / (most_categories(figure) + 0.2)) {
    page.tilt = 35;
    below += 0.57 * label; /* sin 35 degrees */
  }
  double above = top_cm + (titles ? title_cm - top_cm : 0);
  page.below = below;
  page.gap_y = below + above + 0.15;
  double figure_title = figure->title[0] ? title_cm : 0;
  double caption = caption_lines > 0 ? caption_lines * line_cm + 0.25 : 0;
  page.height = figure->height_cm + figure_title + caption;
  page.top = figure_title + above;
  page.bottom = caption + below;
  page.panel_height = (page.height - page.top - page.bottom - (figure->rows - 1) * page.gap_y) / figure->rows;
  return page;
}

/* ---- caption ---- */

static void add_sentence(void *context, const char *sentence) {
  wal_text *text = context;
  if (!sentence[0]) return;
  char last = sentence[strlen(sentence) - 1];
  bool stops = last == '.' || last == '!' || last == '?';
  wal_text_add(text, "%s%s%s", text->length > 0 ? " " : "", sentence, stops ? "" : ".");
}

typedef struct {
  int in_words, missing, nonpositive, outside;
} hidden_dots;

/* Over a category, what the axes cannot show stands in words. */
static bool told_in_words(const wal_series *series) {
  bool ours = series->kind == WAL_BARS || series->kind == WAL_POINTS || series->kind == WAL_LINES;
  return ours && series->panel->category_count > 0;
}

/* Dots that have no place on the axes, by reason. */
static hidden_dots count_hidden(const wal_figure *figure) {
  hidden_dots hidden = {0};
  for (int p = 0; p < figure->panel_count; p++)
    for (int s = 0; s < figure->panels[p]->series_count; s++) {
      const wal_series *series = figure->panels[p]->series[s];
      for (int i = 0; i < series->count; i++) {
        const wal_dot *dot = &series->dots[i];
        if (wal_dot_visible(series, dot)) continue;
        const wal_panel *panel = series->panel;
        bool has_value = isfinite(dot->x) && isfinite(dot->y);
        bool positive = !(panel->log_x && dot->x <= 0) && !(panel->log_y && dot->y <= 0);
        *(told_in_words(series) ? &hidden.in_words
          : !has_value          ? &hidden.missing
          : !positive           ? &hidden.nonpositive
                                : &hidden.outside) += 1;
      }
    }
  return hidden;
}

static void add_count(wal_text *text, int count, const char *what) {
  char sentence[96];
  snprintf(sentence, sizeof sentence, "%d point%s %s", count, count == 1 ? "" : "s", what);
  if (count > 0) add_sentence(text, sentence);
}

static bool shows(const wal_figure *figure, bool (*what)(const wal_series *)) {
  for (int p = 0; p < figure->panel_count; p++)
    for (int s = 0; s < figure->panels[p]->series_count; s++)
      if (what(figure->panels[p]->series[s])) return true;
  return false;
}

static bool is_hollow(const wal_series *series) { return series->kind == WAL_HOLLOW; }
static bool is_mean(const wal_series *series) { return series->kind != WAL_BAND && has_error_bars(series); }

/* The config's caption and what a reader must know beside it. malloc'd; NULL: no memory. */
static char *caption_of(const wal_figure *figure) {
  const wal_result *result = figure->drawing->result;
  wal_text text = {0};
  char sentence[160];
  add_sentence(&text, result->config->caption);
  wal_notes_sets(result, add_sentence, &text);
  for (int i = 0; i < figure->note_count; i++) add_sentence(&text, figure->notes[i]);
  int seeds = wal_seed_count(result);
  if (seeds > 1 && shows(figure, is_mean)) {
    snprintf(sentence, sizeof sentence, "Means over %d seeds", seeds);
    add_sentence(&text, sentence);
  }
  if (shows(figure, is_hollow)) {
    add_sentence(&text, "Hollow: published values");
    wal_notes_published(result, add_sentence, &text);
  }
  hidden_dots hidden = count_hidden(figure);
  if (hidden.in_words > 0) add_sentence(&text, "What an axis cannot show is written at its foot");
  add_count(&text, hidden.nonpositive, "at or below 0 not shown on log axes");
  add_count(&text, hidden.outside, "outside the axes not shown");
  add_count(&text, hidden.missing, "without a value not shown");
  wal_notes_failed(result, add_sentence, &text);
  return wal_text_steal(&text);
}

/* Bytes of the next line of at most `width` characters, broken at a space or newline where there is one. */
static size_t next_line(const char *text, int width) {
  size_t space = 0, i = 0;
  int used = 0;
  for (; text[i] && text[i] != '\n'; i++) {
    bool starts = ((unsigned char)text[i] & 0xC0) != 0x80;
    if (starts && used++ == width) return space > 0 ? space : i;
    bool beside_equals = text[i + 1] == '=' || (i > 0 && text[i - 1] == '='); /* "n = 3" stays together */
    if (text[i] == ' ' && !beside_equals) space = i;
  }
  return i;
}

typedef void line_sink(void *context, int line, const char *text, size_t length);

static int wrap(const char *text, int width, line_sink *line, void *context) {
  int lines = 0;
  while (*text) {
    size_t length = next_line(text, width);
    if (line) line(context, lines, text, length);
    lines++;
    text += length;
    while (*text == ' ' || *text == '\n') text++;
  }
  return lines;
}

static int caption_width(const wal_figure *figure) { return (int)((figure->width_cm - 0.3) / small_char_cm); }

typedef struct {
  const layout *page;
  wal_text *out;
} caption_place;

static void print_caption_line(void *context, int line, const char *text, size_t length) {
  caption_place *place = context;
  double y = (place->page->caption_lines - line - 0.3) * line_cm;
  wal_text_add(place->out, "  set label ");
  quote_bytes(place->out, text, length);
  wal_text_add(place->out, " at screen %.4f,%.4f noenhanced font SMALL\n", 0.15 / place->page->width,
               y / place->page->height);
}

/* ---- a panel ---- */

static void print_span(char axis, wal_span span, wal_text *out) {
  if (isnan(span.min) && isnan(span.max)) {
    wal_text_add(out, "  set %crange [*:*]\n", axis);
    return;
  }
  wal_text_add(out, "  set %crange [", axis);
  wal_text_add(out, isnan(span.min) ? "*" : "%.6g", span.min);
  wal_text_add(out, isnan(span.max) ? ":*" : ":%.6g", span.max);
  wal_text_add(out, "]\n");
}

static void print_tics(char axis, bool log, wal_text *out) {
  wal_text_add(out, "  %sset logscale %c\n", log ? "" : "un", axis);
  wal_text_add(out, "  set %ctics autofreq enhanced norotate\n", axis);
  wal_text_add(out, "  set format %c '%s'\n", axis, log ? "10^{%T}" : "%h");
}

/* A category's name is a label under a bare tick: in a tick's own text gnuplot reads % and \ itself. */
static void print_categories(const wal_panel *panel, const layout *page, wal_text *out) {
  if (panel->category_count == 0) return;
  wal_text_add(out, "  set xtics norotate (");
  for (int i = 0; i < panel->category_count; i++)
    wal_text_add(out, "%s'' %.9g", i > 0 ? ", " : "", panel->categories[i].x);
  wal_text_add(out, ")\n");
  for (int i = 0; i < panel->category_count; i++) {
    wal_text_add(out, "  set label ");
    quote(out, panel->categories[i].label);
    wal_text_add(out, " at first %.9g, graph %.4f ", panel->categories[i].x, -0.26 / page->panel_height);
    wal_text_add(out, page->tilt > 0 ? "rotate by %.0f right" : "center", page->tilt);
    wal_text_add(out, " noenhanced font SMALL\n");
  }
}

static int bar_series_count(const wal_panel *panel) {
  int bars = 0;
  for (int s = 0; s < panel->series_count; s++) bars += panel->series[s]->kind == WAL_BARS;
  return bars;
}

/* Where series `index` stands in a cluster of bars: the offset from x, and the width of one bar. */
static double bar_offset(const wal_panel *panel, int index, double *width) {
  int bars = bar_series_count(panel), before = 0;
  for (int s = 0; s < index; s++) before += panel->series[s]->kind == WAL_BARS;
  double cluster = 0.8 * wal_panel_bar_gap(panel);
  *width = cluster / bars;
  return (before - 0.5 * (bars - 1)) * *width;
}

/* What a category cannot show leaves a word in its place, never an unmarked hole; upright between bars. */
static void print_missing(const wal_panel *panel, int index, wal_text *out) {
  const wal_series *series = panel->series[index];
  if (!told_in_words(series)) return;
  double width, offset = series->kind == WAL_BARS ? bar_offset(panel, index, &width) : 0;
  for (int i = 0; i < series->count; i++) {
    const wal_dot *dot = &series->dots[i];
    if (wal_dot_visible(series, dot) || !isfinite(dot->x)) continue;
    bool failed = isnan(dot->y);
    char word[32] = "failed";
    if (!failed) snprintf(word, sizeof word, dot->y == 0 ? "0" : "%.0e", dot->y);
    wal_text_add(out, "  set label '%s' at first %.9g, graph 0.04 %s noenhanced font SMALL\n", word,
                 dot->x + offset, failed || series->kind == WAL_BARS ? "rotate by 90 left" : "center");
  }
}

/* Titles and axis labels stand at fixed distances from the frame, so that they line up over the panels. They
   are labels, for gnuplot reads its own titles as enhanced text before it draws them without. */
static void print_text(const char *text, double x, double y, const char *rotate, wal_text *out) {
  if (!text[0]) return;
  wal_text_add(out, "  set label ");
  quote(out, text);
  wal_text_add(out, " at graph %.4f,%.4f center%s noenhanced\n", x, y, rotate);
}

static void print_axes(const wal_panel *panel, const layout *page, wal_text *out) {
  legend_size legend = size_legend(panel, page->panel_width);
  double share = legend.entries > 0 ? (legend.rows * line_cm + 0.15) / page->panel_height : 0;
  print_text(panel->title, 0.5, 1 + 0.22 / page->panel_height, "", out);
  print_text(panel->xlabel, 0.5, -(page->below - 0.15) / page->panel_height, "", out);
  print_text(panel->ylabel, -(page->left - 0.22) / page->panel_width, 0.5, " rotate by 90", out);
  print_tics('x', panel->log_x, out);
  print_tics('y', panel->log_y, out);
  print_categories(panel, page, out);
  print_span('x', wal_panel_x_span(panel), out);
  print_span('y', wal_panel_y_span(panel, share), out);
  wal_text_add(out, "  set grid %sxtics ytics ls 21\n", panel->category_count > 0 ? "no" : "");
  if (legend.entries > 0)
    wal_text_add(out, "  set key %s vertical maxrows %d\n", panel->legend, legend.rows);
  else
    wal_text_add(out, "  unset key\n");
}

/* ---- series ---- */

typedef struct {
  const wal_panel *panel;
  int panel_index;
  int drawn; /* plot elements so far */
  wal_text *out;
} plotter;

static void begin_element(plotter *plot, const wal_series *series, int index) {
  wal_text_add(plot->out, plot->drawn++ == 0 ? "  plot " : ", \\\n       ");
  print_block_name(series, plot->panel_index, index, plot->out);
}

static void end_element(plotter *plot, const wal_series *series, bool entry) {
  if (entry && series->name[0]) {
    wal_text_add(plot->out, " title ");
    quote(plot->out, series->name);
  } else {
    wal_text_add(plot->out, " notitle");
  }
}

static void print_error_bars(plotter *plot, const wal_series *series, int index, const char *x, int style) {
  if (!has_error_bars(series)) return;
  begin_element(plot, series, index);
  wal_text_add(plot->out, " using %s:\"low\":(0):(column(\"high\")-column(\"low\"))", x);
  wal_text_add(plot->out, " with vectors heads size graph CAP,90 ls %d lw 0.7 dt solid", style);
  end_element(plot, series, false);
}

static void print_bars(plotter *plot, const wal_series *series, int index) {
  double width, offset = bar_offset(plot->panel, index, &width);
  char x[64];
  snprintf(x, sizeof x, "(column(\"x\")%+.6g)", offset);
  begin_element(plot, series, index);
  wal_text_add(plot->out, " using %s:\"y\":(%.6g) with boxes ls %d", x, 0.92 * width, series->colour + 1);
  end_element(plot, series, true);
  print_error_bars(plot, series, index, x, 22);
}

static void print_band(plotter *plot, const wal_series *series, int index) {
  int style = series->colour + 1;
  begin_element(plot, series, index);
  wal_text_add(plot->out, " using \"x\":\"low\":\"high\" with filledcurves ls %d fs transparent solid 0.2",
               style);
  end_element(plot, series, false);
  begin_element(plot, series, index);
  wal_text_add(plot->out, " using \"x\":\"y\" with lines ls %d", style);
  end_element(plot, series, true);
}

static void print_rule(plotter *plot, const wal_series *series, int index) {
  wal_span x = wal_panel_x_span(plot->panel);
  begin_element(plot, series, index);
  wal_text_add(plot->out, " using (%.6g):\"y\":(%.6g):(0) with vectors nohead ls %d dt (6,3)", x.min,
               x.max - x.min, series->colour + 1);
  end_element(plot, series, true);
}

/* Published values over a bar stand in its middle, in black: the bar's own colour would not show on it. */
static void print_hollow(plotter *plot, const wal_series *series, int index) {
  int ours = namesake(plot->panel, index), style = series->colour + 11;
  char x[64] = "\"x\"";
  if (ours >= 0 && plot->panel->series[ours]->kind == WAL_BARS) {
    double width, offset = bar_offset(plot->panel, ours, &width);
    snprintf(x, sizeof x, "(column(\"x\")%+.6g)", offset);
    style = 17;
  }
  begin_element(plot, series, index);
  wal_text_add(plot->out, " using %s:\"y\" with points ls %d", x, style);
  end_element(plot, series, ours < 0);
  print_error_bars(plot, series, index, x, style);
}

static void print_markers(plotter *plot, const wal_series *series, int index) {
  begin_element(plot, series, index);
  wal_text_add(plot->out, " using \"x\":\"y\" with %s ls %d",
               series->kind == WAL_LINES ? "linespoints" : "points", series->colour + 1);
  end_element(plot, series, true);
  print_error_bars(plot, series, index, "\"x\"", series->colour + 1);
}

static void print_series(plotter *plot, const wal_series *series, int index) {
  switch (series->kind) {
    case WAL_BARS:
      print_bars(plot, series, index);
      break;
    case WAL_BAND:
      print_band(plot, series, index);
      break;
    case WAL_RULE:
      print_rule(plot, series, index);
      break;
    case WAL_HOLLOW:
      print_hollow(plot, series, index);
      break;
    case WAL_LINES:
    case WAL_POINTS:
      print_markers(plot, series, index);
      break;
  }
}

static void print_plot(const wal_panel *panel, int panel_index, const layout *page, wal_text *out) {
  plotter plot = {panel, panel_index, 0, out};
  for (int s = 0; s < panel->series_count; s++)
    if (visible_count(panel->series[s]) > 0) print_series(&plot, panel->series[s], s);
  if (plot.drawn > 0) {
    if (size_legend(panel, page->panel_width).published)
      wal_text_add(out, ", \\\n       keyentry with points ls 17 title 'published'");
  } else {
    if (panel->series_count == 0) wal_text_add(out, "  unset logscale; set xrange [0:1]; set yrange [0:1]\n");
    wal_text_add(out, "  set label 'no finished points' at graph 0.5,0.5 center\n  plot NaN notitle");
  }
  wal_text_add(out, "\n");
}

static void print_panel(const wal_panel *panel, int index, const layout *page, wal_text *out) {
  wal_text_add(out, "\n");
  wal_text_add(out, "  ");
  comment(out, "panel: ", panel->title);
  print_axes(panel, page, out);
  for (int s = 0; s < panel->series_count; s++) print_missing(panel, s, out);
  print_raw(panel->raw.data, false, "  ", out);
  if (!raw_plots(panel)) print_plot(panel, index, page, out);
  wal_text_add(out, "  unset label; unset arrow; unset object\n");
}

/* ---- the script ---- */

static void print_page(const wal_figure *figure, const layout *page, const char *caption, wal_text *out) {
  wal_text_add(out,
               "  set multiplot layout %d,%d margins screen %.4f,%.4f,%.4f,%.4f spacing screen %.4f,%.4f\n",
               figure->rows, figure->columns, page->left / page->width, 1 - page->right / page->width,
               page->bottom / page->height, 1 - page->top / page->height, page->gap_x / page->width,
               page->gap_y / page->height);
  if (figure->title[0]) {
    wal_text_add(out, "  set label ");
    quote(out, figure->title);
    wal_text_add(out, " at screen %.4f,%.4f noenhanced font ':Bold'\n", 0.15 / page->width,
                 1 - 0.5 * title_cm / page->height);
  }
  caption_place place = {page, out};
  wrap(caption, caption_width(figure), print_caption_line, &place);
}

static void print_data(const wal_figure *figure, const layout *page, wal_text *out) {
  wal_text_add(out, "\n# ---- data: a block per series, its columns named in the first row ----\n");
  for (int p = 0; p < figure->panel_count; p++) {
    const wal_panel *panel = figure->panels[p];
    legend_size legend = size_legend(panel, page->panel_width);
    double foot = wal_panel_y_span(panel, legend.rows * line_cm / page->panel_height).min;
    for (int s = 0; s < panel->series_count; s++)
      if (visible_count(panel->series[s]) > 0) print_series_data(panel->series[s], p, s, foot, out);
    print_raw(panel->raw.data, true, "", out);
  }
}

void wal_figure_script(const wal_figure *figure, const char *name, const char *style, wal_text *out) {
  char *caption = caption_of(figure);
  if (!caption) {
    out->failed = true;
    return;
  }
  layout page = lay_out(figure, wrap(caption, caption_width(figure), NULL, NULL));
  print_head(figure, name, out);
  print_data(figure, &page, out);
  wal_text_add(out, "\n# ---- style: a copy of plots/style.gp ----\n\n%s", style);
  wal_text_add(out, "\n# ---- picture: %.4g x %.4g cm ----\n\n", page.width, page.height);
  wal_text_add(out, "do for [type in 'svg png pdf'] {\n");
  wal_text_add(out, "  eval set_terminal(type, %.4f, %.4f)\n  set output out.'.'.type\n", page.width,
               page.height);
  print_page(figure, &page, caption, out);
  for (int p = 0; p < figure->panel_count; p++) print_panel(figure->panels[p], p, &page, out);
  wal_text_add(out, "\n  unset multiplot\n  unset output\n}\n");
  free(caption);
}

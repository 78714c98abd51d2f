/* Figures: the builder, the axes, and whole pictures through gnuplot, where any warning is a failure. */
#include <check.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/gnuplot.h"
#include "engine/store.h"
#include "tests/engine/toy_table.h"
#include "tests/scratch.h"
#include "tests/suite.h"

static const char style[] = WAL_SOURCE_DIR "/plots/style.gp";
static const char *const by_solver[] = {"solver"};
static const char *const measures[] = {"nash_gap", "voa", "vop", "solve_s"};

/* Every test draws in a scratch folder and must leave no temporary file behind. */
static void setup(void) {
  scratch_make();
  ck_assert_int_eq(mkdir(scratch_path("tmp"), 0777), 0);
  setenv("TMPDIR", scratch_path("tmp"), 1);
}
static void teardown(void) {
  setenv("PATH", "/usr/bin:/bin", 1); /* a test may have taken it away */
  ck_assert_int_eq(scratch_entries(scratch_path("tmp")), 0);
  scratch_remove();
}

/* Draws the toy with `draw` into scratch/FOLDER. */
static wal_status draw_into(const char *folder, wal_status (*draw)(const wal_result *, wal_drawing *)) {
  toy *t = toy_new(draw);
  wal_status status = wal_draw(&t->result, scratch_path(folder), style, NULL);
  toy_free(t);
  return status;
}

static void expect_drawn(wal_status (*draw)(const wal_result *, wal_drawing *)) {
  wal_status status = draw_into("plots", draw);
  ck_assert_msg(status == WAL_OK, "%s", wal_error());
}

/* The whole of scratch/NAME, NUL-terminated, malloc'd. */
static char *text_of(const char *name, size_t *length) {
  char *bytes;
  size_t read;
  ck_assert_int_eq(wal_read_file(scratch_path(name), 1 << 24, &bytes, length ? length : &read), WAL_OK);
  return bytes;
}

static bool contains(const char *name, const char *words) {
  char *text = text_of(name, NULL);
  bool found = strstr(text, words) != NULL;
  free(text);
  return found;
}

static void expect_same_file(const char *a, const char *b) {
  size_t length_a, length_b;
  char *bytes_a = text_of(a, &length_a), *bytes_b = text_of(b, &length_b);
  ck_assert_uint_eq(length_a, length_b);
  ck_assert_msg(memcmp(bytes_a, bytes_b, length_a) == 0, "%s and %s differ", a, b);
  free(bytes_a);
  free(bytes_b);
}

/* ---- pictures ---- */

/* Shaped like a paper's table: a panel per measure, a bar per method, published values hollow. */
static void add_measure(wal_figure *figure, const wal_grouping *by, int m) {
  wal_panel *panel = wal_figure_panel(figure, measures[m], m > 1 ? "method" : "", measures[m]);
  wal_panel_log(panel, false, m < 3);
  wal_panel_legend(panel, m == 0 ? "top right" : NULL);
  wal_series *ours = wal_panel_series(panel, m == 1 ? WAL_POINTS : WAL_BARS, "this run", -1);
  wal_series *paper = wal_panel_series(panel, WAL_HOLLOW, "this run", -1);
  for (int g = 0; g < by->count; g++) {
    wal_stat stat = wal_group_stat(by, g, measures[m]);
    wal_panel_category(panel, g, wal_frame_text(by->result->rows, by->groups[g].row, 2));
    wal_series_point(ours, g, stat.mean, stat.min, stat.max);
    double published = wal_result_published(by->result, by->groups[g].row, measures[m]);
    if (published > 0) wal_series_point(paper, g, published, NAN, NAN);
  }
}

static wal_status draw_methods(const wal_result *result, wal_drawing *drawing) {
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 9.5, 2, 2);
  wal_figure_note(figure, "Error bars: smallest and largest of %d seeds", TOY_SEEDS);
  wal_grouping by;
  wal_status status = wal_group_rows(result, by_solver, 1, &by);
  for (int m = 0; m < 4 && status == WAL_OK; m++) add_measure(figure, &by, m);
  wal_grouping_free(&by);
  return status == WAL_OK
             ? wal_drawing_standard_table(drawing, result, result->config->title, by_solver, 1, measures, 4)
             : status;
}

START_TEST(every_file_is_there_and_logged) {
  static const char *const endings[] = {"csv", "md", "tex", "gp", "svg", "png", "pdf"};
  char *log_text, expected[1024], *line = expected;
  size_t log_size;
  FILE *log = open_memstream(&log_text, &log_size);
  toy *t = toy_new(draw_methods);
  ck_assert_int_eq(wal_draw(&t->result, scratch_path("plots"), style, log), WAL_OK);
  toy_free(t);
  fclose(log);
  for (size_t i = 0; i < 7; i++) {
    line += sprintf(line, "%s/plots/toy/table1.%s\n", scratch, endings[i]);
    struct stat info;
    char name[64];
    snprintf(name, sizeof name, "plots/toy/table1.%s", endings[i]);
    ck_assert_int_eq(stat(scratch_path(name), &info), 0);
    ck_assert_int_gt(info.st_size, 200);
  }
  ck_assert_str_eq(log_text, expected);
  ck_assert_int_eq(scratch_entries(scratch_path("plots/toy")), 7);
  free(log_text);
}
END_TEST

/* 17.5 cm: 2067 px at 300 dpi, 661 px at 96, 496 pt. */
START_TEST(pictures_have_their_size_on_paper) {
  expect_drawn(draw_methods);
  char *png = text_of("plots/toy/table1.png", NULL);
  const unsigned char *width = (const unsigned char *)png + 16; /* IHDR, big-endian */
  ck_assert_mem_eq(png, "\x89PNG\r\n\x1a\n", 8);
  ck_assert_int_eq(width[0] << 24 | width[1] << 16 | width[2] << 8 | width[3], 2067);
  free(png);
  ck_assert(contains("plots/toy/table1.svg", "viewBox=\"0 0 661 "));
  size_t length;
  char *pdf = text_of("plots/toy/table1.pdf", &length);
  ck_assert_ptr_nonnull(memmem(pdf, length, "/MediaBox [ 0 0 496 ", 20));
  free(pdf);
}
END_TEST

START_TEST(the_script_alone_draws_the_same_bytes) {
  expect_drawn(draw_methods);
  ck_assert_int_eq(mkdir(scratch_path("alone"), 0777), 0);
  char *script = text_of("plots/toy/table1.gp", NULL);
  ck_assert_int_eq(wal_write_file(scratch_path("alone/table1.gp"), script, strlen(script)), WAL_OK);
  free(script);
  ck_assert_int_eq(wal_gnuplot_run(scratch_path("alone"), "table1.gp"), WAL_OK);
  expect_same_file("plots/toy/table1.svg", "alone/table1.svg");
  expect_same_file("plots/toy/table1.png", "alone/table1.png");
  char command[1024];
  snprintf(command, sizeof command, "cd %s/alone && gnuplot -d -e \"out='other'\" table1.gp", scratch);
  ck_assert_int_eq(system(command), 0);
  expect_same_file("plots/toy/table1.svg", "alone/other.svg");
  ck_assert_int_eq(draw_into("again", draw_methods), WAL_OK);
  expect_same_file("plots/toy/table1.gp", "again/toy/table1.gp");
  expect_same_file("plots/toy/table1.png", "again/toy/table1.png");
}
END_TEST

START_TEST(the_script_says_where_it_came_from) {
  const char *script = "plots/toy/table1.gp";
  expect_drawn(draw_methods);
  ck_assert(contains(script, "# A toy beside invented values\n# Nobody: Nothing. Nowhere\n"));
  ck_assert(contains(script, "# Experiment: toy/table1, version 7\n"));
  ck_assert(contains(script, "build/walras run configs/toy/table1.yaml --profile ci --set n=16384\n"));
  ck_assert(contains(script,
                     "$p1s1_this_run <<EOD\n            x            y          low         high\n"
                     "            0         0.32          0.3         0.34\n"));
  ck_assert(!contains(script, "/somewhere"));
  ck_assert(!contains(script, scratch));
}
END_TEST

/* The caption is wrapped; words are compared over the lines of the svg. */
START_TEST(the_caption_says_what_a_reader_must_know) {
  expect_drawn(draw_methods);
  char *svg = text_of("plots/toy/table1.svg", NULL), words[4096] = "";
  for (char *text = svg; (text = strstr(text, "<text>")) != NULL; text++) {
    char *end = strstr(text, "</text>");
    ck_assert_ptr_nonnull(end);
    strncat(words, text + 6, (size_t)(end - text - 6));
    strcat(words, " ");
  }
  const char *expected =
      "Reduced size, made up for a test. Set on the command line: n=16384. Error bars: smallest and largest "
      "of 3 seeds. Means over 3 "
      "seeds. "
      "Hollow: published values. Published at n = 1048576; here n = 16384. What an axis cannot show is "
      "written "
      "at its foot. 4 of 12 points failed.";
  ck_assert_msg(strstr(words, expected) != NULL, "%s", words);
  ck_assert_ptr_nonnull(strstr(words, "failed ")); /* in the place of the lost method's bars */
  free(svg);
}
END_TEST

/* ---- shapes that gnuplot stumbles over ---- */

static wal_panel *lone_panel(wal_drawing *drawing, bool log) {
  wal_panel *panel = wal_figure_panel(wal_drawing_figure(drawing, "", "", 8.5, 6, 1, 1), "", "x", "y");
  wal_panel_log(panel, log, log);
  return panel;
}

static const struct {
  const char *name;
  int count;
  double ys[3];
} shapes[] = {
    {"no point", 0, {0}},           {"one point", 1, {5}},
    {"all the same", 3, {3, 3, 3}}, {"all failed", 3, {NAN, NAN, NAN}},
    {"all zero", 3, {0, 0, 0}},     {"negative, infinite", 3, {-1, -2, INFINITY}},
    {"huge", 3, {1e300, 1, 2}},     {"tiny", 3, {1e-300, 2e-300, 3e-300}},
};
static int shape; /* which of them */

/* Every kind of series, on linear and on log axes. */
static wal_status draw_shape(const wal_result *result, wal_drawing *drawing) {
  (void)result;
  wal_figure *figure = wal_drawing_figure(drawing, "", shapes[shape].name, 17.5, 18, 4, 3);
  for (int kind = WAL_LINES; kind <= WAL_RULE; kind++)
    for (int log = 0; log < 2; log++) {
      wal_panel *panel = wal_figure_panel(figure, "", "x", "y");
      wal_panel_log(panel, log, log);
      wal_series *series = wal_panel_series(panel, (wal_series_kind)kind, "method", -1);
      for (int i = 0; i < shapes[shape].count; i++) {
        double y = shapes[shape].ys[i];
        wal_series_point(series, i + 1, y, y - 5, y);
      }
    }
  return WAL_OK;
}

START_TEST(strange_shapes_draw_without_a_warning) {
  shape = _i;
  wal_status status = draw_into("plots", draw_shape);
  ck_assert_msg(status == WAL_OK, "%s: %s", shapes[shape].name, wal_error());
}
END_TEST

static wal_status draw_nearly_nothing(const wal_result *result, wal_drawing *drawing) {
  (void)result;
  wal_drawing_figure(drawing, "none", "No panels", 8.5, 6, 2, 2);
  wal_figure *some = wal_drawing_figure(drawing, "some", "", 8.5, 6, 2, 2);
  wal_figure_panel(some, "No series", "", "");
  return WAL_OK;
}

static bool over_categories;

static wal_status draw_beyond_the_range(const wal_result *result, wal_drawing *drawing) {
  (void)result;
  wal_figure *figure = wal_drawing_figure(drawing, "", "", 30, 6, 1, 1); /* wide: the caption is one line */
  wal_panel *panel = wal_figure_panel(figure, "", "x", "y");
  wal_panel_log(panel, false, true);
  wal_panel_range(panel, NAN, NAN, 1e-6, NAN);
  wal_series *series = wal_panel_series(panel, WAL_POINTS, "method", -1);
  static const double ys[] = {1e-2, 4e-16, -7e-17, 0, NAN};
  for (int i = 0; i < 5; i++) {
    if (over_categories) wal_panel_category(panel, i, "m");
    wal_series_point(series, i, ys[i], NAN, NAN);
  }
  return WAL_OK;
}

START_TEST(what_is_not_shown_is_said) {
  static const char *const words[] = {"<text>4e-16</text>", "<text>-7e-17</text>", "<text>0</text>",
                                      "<text>failed</text>",
                                      "What an axis cannot show is written at its foot."};
  over_categories = true;
  expect_drawn(draw_beyond_the_range);
  for (int i = 0; i < 5; i++) ck_assert_msg(contains("plots/toy/table1.svg", words[i]), "%s", words[i]);
}
END_TEST

START_TEST(what_is_not_shown_is_counted) {
  static const char *const notes[] = {"2 points at or below 0 not shown on log axes.",
                                      "1 point outside the axes not shown.",
                                      "1 point without a value not shown."};
  over_categories = false;
  expect_drawn(draw_beyond_the_range);
  for (int i = 0; i < 3; i++) ck_assert_msg(contains("plots/toy/table1.svg", notes[i]), "%s", notes[i]);
}
END_TEST

static wal_status draw_hole(const wal_result *result, wal_drawing *drawing) {
  (void)result;
  wal_series *line = wal_panel_series(lone_panel(drawing, false), WAL_LINES, "method", -1);
  for (int i = 0; i < 5; i++) wal_series_point(line, i, i == 2 ? NAN : i, NAN, NAN);
  return WAL_OK;
}

START_TEST(a_line_breaks_at_a_missing_point) {
  expect_drawn(draw_hole);
  ck_assert(contains("plots/toy/table1.gp", "            2          NaN          NaN          NaN\n"));
  ck_assert(contains("plots/toy/table1.svg", "1 point without"));
}
END_TEST

START_TEST(no_panels_and_no_series) {
  expect_drawn(draw_nearly_nothing);
  ck_assert(contains("plots/toy/table1-some.svg", "no finished points"));
}
END_TEST

/* ---- raw lines ---- */

static const char *raw_lines;

static wal_status draw_raw(const wal_result *result, wal_drawing *drawing) {
  (void)result;
  wal_panel_raw(lone_panel(drawing, false), raw_lines);
  return WAL_OK;
}

START_TEST(raw_heat_map) {
  raw_lines =
      "$map <<END\n1 2\n3 4\nEND\nset xrange [-0.5:1.5]\nset yrange [-0.5:1.5]\nplot $map matrix with image";
  expect_drawn(draw_raw);
}
END_TEST

START_TEST(a_warning_of_gnuplot_fails_the_picture) {
  raw_lines = "set xrange [0:1]\nset yrange [*:*]\nplot 1";
  ck_assert_int_eq(draw_into("plots", draw_raw), WAL_E_IO);
  ck_assert_msg(strstr(wal_error(), "empty y range") != NULL, "%s", wal_error());
  ck_assert_int_ne(access(scratch_path("plots/toy/table1.svg"), F_OK), 0);
  ck_assert_int_eq(access(scratch_path("plots/toy/table1.gp"), F_OK), 0); /* kept, to look at */
}
END_TEST

START_TEST(a_picture_never_written_is_a_failure) {
  raw_lines = "plot x\nunset multiplot\nunset output\nexit";
  ck_assert_int_eq(draw_into("plots", draw_raw), WAL_E_IO);
  ck_assert_msg(strstr(wal_error(), "table1.png") != NULL, "%s", wal_error());
}
END_TEST

/* ---- text of the user's ---- */

static char rogue[1024]; /* tries to create scratch/PWNED in every way there is */

static wal_status draw_rogue(const wal_result *result, wal_drawing *drawing) {
  (void)result;
  wal_figure *figure = wal_drawing_figure(drawing, "", rogue, 17.5, 9, 1, 1);
  wal_figure_note(figure, "%s", rogue);
  wal_panel *panel = wal_figure_panel(figure, rogue, rogue, rogue);
  wal_panel_category(panel, 1, rogue);
  wal_series_point(wal_panel_series(panel, WAL_BARS, rogue, -1), 1, 1, NAN, NAN);
  return WAL_OK;
}

START_TEST(text_runs_nothing) {
  static const char *const attempts[] = {
      "`touch %s`",
      "'.system('touch %s').'",
      "'.system(\"touch %s\").'",
      "'; system(\"touch %s\"); '",
      "'''; system(\"touch %s\"); '''",
      "\".system(\"touch %s\").\"",
      "x'\nsystem('touch %s')\n#",
      "x\\",
      "x'\n!touch %s\n",
      "EOD\n!touch %s\n",
      "@out $0 {/Bold x_y^2} %% \\",
      "x\r!touch %s\r}",
  };
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
    char mark[128];
    snprintf(mark, sizeof mark, "%s/PWNED", scratch);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(rogue, sizeof rogue, attempts[i], mark);
#pragma GCC diagnostic pop
    toy *t = toy_new(draw_rogue);
    t->config.title = t->config.caption = t->config.sets = rogue;
    wal_status status = wal_draw(&t->result, scratch_path("plots"), style, NULL);
    toy_free(t);
    ck_assert_msg(status == WAL_OK, "%s: %s", rogue, wal_error());
    ck_assert_msg(access(mark, F_OK) != 0, "ran: %s", rogue);
  }
}
END_TEST

START_TEST(text_is_drawn_as_it_stands) {
  strcpy(rogue, "a_b^{c} `d` 'e' \\f $g @h");
  expect_drawn(draw_rogue);
  ck_assert(contains("plots/toy/table1.svg", "<text>a_b^{c} `d` ’e’ \\f $g @h</text>"));
}
END_TEST

/* ---- what can be missing ---- */

START_TEST(without_gnuplot_scripts_and_tables_are_written) {
  setenv("PATH", scratch, 1);
  ck_assert_int_eq(draw_into("plots", draw_methods), WAL_E_IO);
  ck_assert_msg(strstr(wal_error(), "gnuplot-nox") != NULL, "%s", wal_error());
  ck_assert_int_eq(scratch_entries(scratch_path("plots/toy")), 4); /* gp, csv, md, tex */
}
END_TEST

START_TEST(without_a_style) {
  toy *t = toy_new(draw_methods);
  ck_assert_int_eq(wal_draw(&t->result, scratch_path("plots"), scratch_path("no.gp"), NULL), WAL_E_IO);
  ck_assert_msg(strstr(wal_error(), "style of the pictures: ") == wal_error(), "%s", wal_error());
  ck_assert_int_ne(access(scratch_path("plots"), F_OK), 0);
  toy_free(t);
}
END_TEST

START_TEST(without_a_place_to_write) {
  ck_assert_int_eq(wal_write_file(scratch_path("plots"), "a file", 6), WAL_OK);
  ck_assert_int_eq(draw_into("plots", draw_methods), WAL_E_IO);
}
END_TEST

static wal_status draw_failing(const wal_result *result, wal_drawing *drawing) {
  (void)result;
  lone_panel(drawing, false);
  return wal_fail(WAL_E_INTERNAL, "no such measure");
}

START_TEST(a_drawing_that_fails_writes_nothing) {
  ck_assert_int_eq(draw_into("plots", draw_failing), WAL_E_INTERNAL);
  ck_assert_str_eq(wal_error(), "no such measure");
  ck_assert_int_ne(access(scratch_path("plots"), F_OK), 0);
}
END_TEST

/* ---- the builder ---- */

START_TEST(a_method_keeps_its_colour) {
  toy *t = toy_new(NULL);
  wal_drawing *drawing = wal_drawing_new(&t->result);
  wal_figure *figure = wal_drawing_figure(drawing, "", "", 8.5, 6, 1, 2);
  wal_panel *left = wal_figure_panel(figure, "", "", ""), *right = wal_figure_panel(figure, "", "", "");
  ck_assert_int_eq(wal_panel_series(left, WAL_LINES, "EG", -1)->colour, 0);
  ck_assert_int_eq(wal_panel_series(left, WAL_LINES, "fixed", 2)->colour, 2);
  ck_assert_int_eq(wal_panel_series(left, WAL_LINES, "FC", -1)->colour, 1);
  ck_assert_int_eq(wal_panel_series(right, WAL_LINES, "other", -1)->colour, 3);
  ck_assert_int_eq(wal_panel_series(right, WAL_HOLLOW, "FC", -1)->colour, 1);
  char name[] = "0";
  for (; name[0] < '9'; name[0]++) {
    int colour = wal_panel_series(right, WAL_LINES, name, -1)->colour;
    ck_assert(colour >= 0 && colour < 8);
  }
  wal_drawing_free(drawing);
  toy_free(t);
}
END_TEST

START_TEST(builders_take_null) {
  wal_figure_note(NULL, "x");
  wal_panel_raw(wal_figure_panel(NULL, "", "", ""), "x");
  wal_panel_category(NULL, 0, "x");
  wal_panel_legend(NULL, NULL);
  wal_panel_log(NULL, true, true);
  wal_panel_range(NULL, 0, 0, 0, 0);
  wal_series_point(wal_panel_series(NULL, WAL_LINES, "x", -1), 0, 0, 0, 0);
  wal_table_column(NULL, NULL, "x", NULL);
  wal_table_row(NULL);
  wal_table_text(NULL, "x");
  wal_table_failed(NULL, "x");
  wal_table_real(NULL, 0, 0, 0);
  wal_table_note(NULL, "x");
  wal_drawing_free(NULL);
}
END_TEST

/* ---- axes ---- */

static const struct {
  wal_series_kind kind;
  bool log;
  double ys[3];
  double legend, ymin, ymax;
  double expected_min, expected_max;
} axes[] = {
    {WAL_POINTS, false, {1, 2, 3}, 0, NAN, NAN, 0.88, 3.12},     /* 6 % of air */
    {WAL_POINTS, false, {0, 5, 10}, 0, NAN, NAN, 0, 10.6},       /* nothing negative: from 0 */
    {WAL_POINTS, false, {-5, 0, 5}, 0, NAN, NAN, -5.6, 5.6},     /* both sides */
    {WAL_BARS, false, {10, 20, 30}, 0, NAN, NAN, 0, 31.8},       /* bars stand on 0 */
    {WAL_BARS, false, {-10, -20, -30}, 0, NAN, NAN, -31.8, 1.8}, /* or hang from it */
    {WAL_POINTS, false, {0, 5, 10}, 0.5, NAN, NAN, 0, 21.2},     /* the legend's half above the data */
    {WAL_POINTS, false, {1, 2, 3}, 0.5, NAN, 4, 0.88, 4},        /* not where the end is given */
    {WAL_POINTS, false, {1, 2, 3}, 0, 0.5, 4, 0.5, 4},
    {WAL_POINTS, true, {0.02, 0.2, 20}, 0, NAN, NAN, 0.02 / 1.4, 28}, /* 0.1, 1, 10 are labelled */
    {WAL_POINTS, true, {0.02, 0.03, 0.04}, 0, NAN, NAN, 0.01, 0.1},   /* two labels at least */
    {WAL_BARS, true, {0.02, 0.2, 20}, 0, NAN, NAN, 0.01, 28},         /* bars stand on a power of ten */
    {WAL_POINTS, true, {-1, 0, NAN}, 0, NAN, NAN, 1, 10},             /* nothing to see */
    {WAL_POINTS, true, {0.02, 0.03, 0.04}, 0.5, NAN, NAN, 0.01, 1},   /* one decade for the legend */
};

START_TEST(y_axis) {
  toy *t = toy_new(NULL);
  wal_drawing *drawing = wal_drawing_new(&t->result);
  wal_panel *panel = lone_panel(drawing, false);
  wal_panel_log(panel, false, axes[_i].log);
  wal_panel_range(panel, NAN, NAN, axes[_i].ymin, axes[_i].ymax);
  wal_series *series = wal_panel_series(panel, axes[_i].kind, "method", -1);
  for (int i = 0; i < 3; i++) wal_series_point(series, i, axes[_i].ys[i], NAN, NAN);
  wal_span span = wal_panel_y_span(panel, axes[_i].legend);
  ck_assert_double_eq_tol(span.min, axes[_i].expected_min, 1e-12);
  ck_assert_double_eq_tol(span.max, axes[_i].expected_max, 1e-12);
  wal_drawing_free(drawing);
  toy_free(t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("drawing");
  TCase *tests = tcase_create("drawing");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, every_file_is_there_and_logged);
  tcase_add_test(tests, pictures_have_their_size_on_paper);
  tcase_add_test(tests, the_script_alone_draws_the_same_bytes);
  tcase_add_test(tests, the_script_says_where_it_came_from);
  tcase_add_test(tests, the_caption_says_what_a_reader_must_know);
  tcase_add_loop_test(tests, strange_shapes_draw_without_a_warning, 0, sizeof shapes / sizeof *shapes);
  tcase_add_test(tests, what_is_not_shown_is_said);
  tcase_add_test(tests, what_is_not_shown_is_counted);
  tcase_add_test(tests, a_line_breaks_at_a_missing_point);
  tcase_add_test(tests, no_panels_and_no_series);
  tcase_add_test(tests, raw_heat_map);
  tcase_add_test(tests, a_warning_of_gnuplot_fails_the_picture);
  tcase_add_test(tests, a_picture_never_written_is_a_failure);
  tcase_add_test(tests, text_runs_nothing);
  tcase_add_test(tests, text_is_drawn_as_it_stands);
  tcase_add_test(tests, without_gnuplot_scripts_and_tables_are_written);
  tcase_add_test(tests, without_a_style);
  tcase_add_test(tests, without_a_place_to_write);
  tcase_add_test(tests, a_drawing_that_fails_writes_nothing);
  tcase_add_test(tests, a_method_keeps_its_colour);
  tcase_add_test(tests, builders_take_null);
  tcase_add_loop_test(tests, y_axis, 0, sizeof axes / sizeof *axes);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}

/* RPF-Net, Figure 5: what agent 1 is allocated of each resource against the values that it reports. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/util.h"
#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"

static const wal_param params[] = {
    WAL_RPFNET_SHARED_PARAMS,
    {"profile.v21", WAL_REAL, "0.83", 0.1, 1, NULL, "1", "agent 2's value of resource 1", NULL, 0},
    {"profile.v22", WAL_REAL, "0.47", 0.1, 1, NULL, "1", "agent 2's value of resource 2", NULL, 0},
    {"profile.x11", WAL_REAL, "1", 0, 1, NULL, "1", "agent 1's demand of resource 1", NULL, 0},
    {"profile.x12", WAL_REAL, "1", 0, 1, NULL, "1", "agent 1's demand of resource 2", NULL, 0},
    {"profile.x21", WAL_REAL, "1", 0, 1, NULL, "1", "agent 2's demand of resource 1", NULL, 0},
    {"profile.x22", WAL_REAL, "1", 0, 1, NULL, "1", "agent 2's demand of resource 2", NULL, 0},
    {"profile.points", WAL_INT, "46", 2, 2048, NULL, "1", "values of each resource, from 0.1 to 1", NULL, 0},
};

static const wal_column columns[] = {
    {"v11", WAL_REAL, "1", "agent 1's value of resource 1", WAL_COLUMN_KEY, 0, 0},
    {"v12", WAL_REAL, "1", "agent 1's value of resource 2", WAL_COLUMN_KEY, 0, 0},
    {"a11", WAL_REAL, "1", "its allocation of resource 1", 0, 0.02, 0.05},
    {"a12", WAL_REAL, "1", "its allocation of resource 2", 0, 0.02, 0.05},
};

static const double low = 0.1, high = 1;

static double value_at(int k, int points) { return low + (high - low) * k / (points - 1); }

/* Every report of agent 1 on the grid, row after row of v12. */
static void fill_reports(const wal_point *point, int points, wal_owned_instances *out) {
  const double budget = 2 * wal_point_real(point, "budget");
  const double x[4] = {wal_point_real(point, "profile.x11"), wal_point_real(point, "profile.x12"),
                       wal_point_real(point, "profile.x21"), wal_point_real(point, "profile.x22")};
  for (int64_t k = 0; k < out->in.count; k++) {
    double *v = out->v + 4 * k;
    v[0] = value_at((int)(k % points), points);
    v[1] = value_at((int)(k / points), points);
    v[2] = wal_point_real(point, "profile.v21");
    v[3] = wal_point_real(point, "profile.v22");
    for (int e = 0; e < 4; e++) out->x[4 * k + e] = x[e];
    out->b[2 * k] = out->b[2 * k + 1] = budget;
  }
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const int points = (int)wal_point_int(point, "profile.points");
  const int64_t count = (int64_t)points * points;
  if (wal_point_int(point, "n") != 2 || wal_point_int(point, "m") != 2)
    return wal_fail(WAL_E_INPUT, "the maps have two agents and two resources; expected n: 2 and m: 2");
  wal_owned_instances reports;
  wal_mechanism *f = NULL;
  double *a = malloc((size_t)count * 4 * sizeof *a);
  wal_status status = wal_instances_create(count, 2, 2, false, &reports);
  if (status == WAL_OK && !a) status = wal_fail(WAL_E_MEMORY, "no memory for %lld maps", (long long)count);
  if (status == WAL_OK) status = wal_rpfnet_mechanism(point, sink, &f, NULL);
  if (status == WAL_OK) fill_reports(point, points, &reports);
  if (status == WAL_OK) status = wal_mechanism_allocate(f, &reports.in, a);
  for (int64_t k = 0; k < count && status == WAL_OK; k++) {
    wal_sink_row(sink);
    wal_sink_real(sink, "v11", reports.v[4 * k]);
    wal_sink_real(sink, "v12", reports.v[4 * k + 1]);
    wal_sink_real(sink, "a11", a[4 * k]);
    wal_sink_real(sink, "a12", a[4 * k + 1]);
  }
  wal_mechanism_destroy(f);
  wal_instances_destroy(&reports);
  free(a);
  return status;
}

/* ---- the picture ---- */

/* The scale at the right of the map, and agent 2's ratio, where PF jumps. */
static void decorate(wal_panel *panel, const wal_point *point) {
  const double ratio = wal_point_real(point, "profile.v22") / wal_point_real(point, "profile.v21");
  const double from = fmax(low, low / ratio), to = fmin(high, high / ratio);
  wal_panel_range(panel, low, high + 0.22, low, high);
  wal_panel_legend(panel, NULL);
  wal_panel_raw(panel,
                "unset grid; set border 0; set xtics (0.1, 0.4, 0.7, 1); set ytics (0.1, 0.4, 0.7, 1)");
  wal_panel_raw(panel, "set style fill solid 1 noborder"); /* or the colour box is paler than the map */
  wal_panel_raw(panel, "set colorbox user origin graph 0.87,0.02 size graph 0.035,0.96 noborder");
  wal_panel_raw(panel, "set cbrange [0:1]; set cbtics 0,0.5,1 font SMALL offset -0.8,0");
  wal_panel_raw(panel,
                "set palette defined (0 '#F7FBFF', 0.25 '#C6DBEF', 0.5 '#6BAED6', 0.75 '#2171B5', 1 "
                "'#08306B')");
  wal_panel_rawf(panel, "set arrow from %g,%g to %g,%g nohead dt (6,4) lw 0.8 lc rgb '#D55E00' front", from,
                 from * ratio, to, to * ratio);
}

/* One map from the rows [first, end) of a point. */
static void draw_map(wal_figure *figure, const wal_result *result, int64_t first, int64_t end, int resource) {
  const wal_frame *rows = result->rows;
  const char *mechanism = wal_frame_text(rows, first, wal_frame_find(rows, "mechanism"));
  const int v1 = wal_frame_find(rows, "v11"), v2 = wal_frame_find(rows, "v12"),
            a = wal_frame_find(rows, resource == 1 ? "a11" : "a12");
  char title[96], axis[64];
  snprintf(title, sizeof title, "%s: resource %d to agent 1", wal_rpfnet_label(mechanism), resource);
  snprintf(axis, sizeof axis, "reported v₁₂");
  wal_panel *panel = wal_figure_panel(figure, title, "reported v₁₁", axis);
  wal_text data = {0};
  wal_text_add(&data, "$map%lld_%d << EOD\n", (long long)first, resource);
  for (int64_t row = first; row < end; row++)
    wal_text_add(&data, "%.4g %.4g %.4g\n", wal_frame_real(rows, row, v1), wal_frame_real(rows, row, v2),
                 wal_frame_real(rows, row, a));
  wal_text_add(&data, "EOD");
  char *lines = wal_text_steal(&data);
  if (lines) wal_panel_raw(panel, lines);
  free(lines);
  decorate(panel, wal_result_point(result, first));
  wal_panel_rawf(panel, "plot $map%lld_%d using 1:2:3 with image notitle", (long long)first, resource);
}

/* Rows of one mechanism and seed stand together: the end of those that begin at `first`. */
static int64_t end_of(const wal_frame *rows, int64_t first) {
  const int point = wal_frame_find(rows, "point");
  int64_t end = first;
  while (end < wal_frame_rows(rows) && wal_frame_real(rows, end, point) == wal_frame_real(rows, first, point))
    end++;
  return end;
}

static bool finished(const wal_frame *rows, int64_t row) {
  return !wal_frame_missing(rows, row, wal_frame_find(rows, "a11"));
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  const wal_frame *rows = result->rows;
  int maps = 0;
  for (int64_t first = 0; first < wal_frame_rows(rows); first = end_of(rows, first))
    maps += finished(rows, first);
  if (maps == 0) return WAL_OK;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 13, 1.5 + 5.2 * maps, maps, 2);
  for (int64_t first = 0; first < wal_frame_rows(rows); first = end_of(rows, first))
    for (int resource = 1; resource <= 2 && finished(rows, first); resource++)
      draw_map(figure, result, first, end_of(rows, first), resource);
  const wal_point *p = wal_result_point(result, 0);
  wal_figure_note(figure,
                  "Agent 2 reports values (%g, %g); demands (%g, %g) and (%g, %g). Dashed: agent 1's ratio "
                  "equals agent 2's",
                  wal_point_real(p, "profile.v21"), wal_point_real(p, "profile.v22"),
                  wal_point_real(p, "profile.x11"), wal_point_real(p, "profile.x12"),
                  wal_point_real(p, "profile.x21"), wal_point_real(p, "profile.x22"));
  return WAL_OK;
}

const wal_experiment wal_rpfnet_fig5 = {
    .id = "rpfnet/fig5",
    .title = "Agent 1's allocation against its reported values",
    .paper = WAL_RPFNET_PAPER ", Figure 5",
    .doc =
        "Two agents, two resources; agent 2's report and all demands are fixed. Heat maps of what agent 1 is "
        "allocated of each resource over its reported values, under PF and under trained RPF-Nets. Under PF "
        "only the ratio v12/v11 counts, so that the maps are made of rays.",
    .version = 1,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};

/* RPF-Net, Theorem 2: trained on L instances, measured on these and on others. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"

static const wal_param params[] = {
    WAL_RPFNET_SHARED_PARAMS,
    {"size", WAL_INT, "256", 2, 1e7, NULL, "instances", "L: instances that the mechanism is trained on", NULL,
     WAL_PARAM_KEY},
};

#define GAP_TOL 0.3, 1e-4
static const wal_column columns[] = {
    {"nsw_train", WAL_REAL, "nats", "mean log Nash welfare of agents with demand, training instances", 0,
     GAP_TOL},
    {"nsw_held", WAL_REAL, "nats", "the same on held-out instances", 0, GAP_TOL},
    {"nsw_gap", WAL_REAL, "nats", "training minus held out: Theorem 2's error of log NSW, a mean of L", 0,
     GAP_TOL},
    {"nsw_paired", WAL_REAL, "nats",
     "the same minus that of PF, which is not trained: what was learnt by heart", 0, GAP_TOL},
    {"expl_train", WAL_REAL, "1", "exploitability, training instances", 0, GAP_TOL},
    {"expl_held", WAL_REAL, "1", "the same on held-out instances", 0, GAP_TOL},
    {"expl_gap", WAL_REAL, "1", "held out minus training: Theorem 2's error of exploitability, a mean of L",
     0, GAP_TOL},
    {"expl_paired", WAL_REAL, "1",
     "expl_held minus expl(PF) held out / expl(PF) training times expl_train: what was learnt by heart", 0,
     GAP_TOL},
    {"train_s", WAL_REAL, "s", "wall time of the training, also when it was done earlier",
     WAL_COLUMN_TIMING | WAL_COLUMN_OPTIONAL, 0, 0},
};

/* Mean log of the product of utilities over agents with demand; instances without any count 0. */
static double mean_log(const wal_rpfnet_samples *samples) {
  double sum = 0;
  for (int64_t k = 0; k < samples->count; k++) sum += log(fmax(samples->nsw_active[k], 1e-300));
  return sum / (double)samples->count;
}

static double mean_expl(const wal_rpfnet_samples *samples) {
  return wal_rpfnet_mean_of(samples->expl, samples->count).mean;
}

/* of[0]: the mechanism on the training instances, of[1]: held out; pf the same. */
static void send(wal_sink *sink, const wal_rpfnet_samples of[2], const wal_rpfnet_samples pf[2]) {
  const double nsw_gap = mean_log(&of[0]) - mean_log(&of[1]), pf_gap = mean_log(&pf[0]) - mean_log(&pf[1]);
  const double train = mean_expl(&of[0]), held = mean_expl(&of[1]), pf_train = mean_expl(&pf[0]),
               pf_held = mean_expl(&pf[1]);
  wal_sink_row(sink);
  wal_sink_real(sink, "nsw_train", mean_log(&of[0]));
  wal_sink_real(sink, "nsw_held", mean_log(&of[1]));
  wal_sink_real(sink, "nsw_gap", nsw_gap);
  wal_sink_real(sink, "nsw_paired", nsw_gap - pf_gap);
  wal_sink_real(sink, "expl_train", train);
  wal_sink_real(sink, "expl_held", held);
  wal_sink_real(sink, "expl_gap", held - train);
  wal_sink_real(sink, "expl_paired", held - (pf_train > 0 ? train * pf_held / pf_train : 0));
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const int64_t counts[2] = {wal_point_int(point, "size"), wal_point_int(point, "held_out")};
  const wal_attack_options attack = wal_rpfnet_attack_options(point);
  wal_mechanism_options options;
  wal_training_options training;
  wal_rpfnet_mechanism_options(point, &options);
  wal_rpfnet_training_options(point, &training);
  training.samples = counts[0];
  const wal_law laws[2] = {training.law, wal_rpfnet_law(point)};
  wal_mechanism *f = NULL;
  wal_rpfnet_samples of[2] = {{0}}, pf[2] = {{0}};
  double train_s = NAN;
  wal_status status = wal_rpfnet_trained(wal_point_text(point, "mechanism"), laws[1].n, laws[1].m, &options,
                                         &training, sink, &f, &train_s);
  for (int k = 0; k < 2 && status == WAL_OK; k++) {
    status = wal_rpfnet_sample(f, NULL, &laws[k], counts[k], &attack, NULL, sink, &of[k]);
    if (status == WAL_OK) status = wal_rpfnet_sample_pf(&laws[k], counts[k], &attack, NULL, sink, &pf[k]);
  }
  if (status == WAL_OK) send(sink, of, pf);
  if (status == WAL_OK && f->kind->learned) wal_sink_real(sink, "train_s", train_s);
  for (int k = 0; k < 2; k++) wal_rpfnet_samples_free(&of[k]), wal_rpfnet_samples_free(&pf[k]);
  wal_mechanism_destroy(f);
  return status;
}

/* ---- the picture ---- */

typedef struct {
  const char *title, *axis, *gap, *paired;
} error_kind;
static const error_kind errors[] = {
    {"log NSW", "training minus held out (nats)", "nsw_gap", "nsw_paired"},
    {"Exploitability", "held out minus training", "expl_gap", "expl_paired"},
};

/* Root mean square of a column over a group's seeds. */
static double rms(const wal_grouping *by, int group, const char *column) {
  const wal_stat s = wal_group_stat(by, group, column);
  const double n = s.count;
  return s.count ? sqrt(s.mean * s.mean + (s.count > 1 ? s.sd * s.sd * (n - 1) / n : 0)) : NAN;
}

static double size_of(const wal_grouping *by, int group) {
  return (double)wal_point_int(wal_result_point(by->result, by->groups[group].row), "size");
}

static const char *mechanism_of(const wal_grouping *by, int group) {
  const wal_frame *rows = by->result->rows;
  return wal_frame_text(rows, by->groups[group].row, wal_frame_find(rows, "mechanism"));
}

/* The rms error of every mechanism in the order of the groups, which are sorted by mechanism. */
static void draw_error(wal_panel *panel, const wal_grouping *by, const char *column) {
  wal_series *series = NULL;
  const char *last = "";
  double low = INFINITY, high = 0, level = 0;
  int count = 0;
  for (int k = 0; k < by->count; k++) {
    const char *name = mechanism_of(by, k);
    const double y = rms(by, k, column), x = size_of(by, k);
    if (strcmp(last, name))
      series = wal_panel_series(panel, WAL_LINES, wal_rpfnet_label(name), wal_rpfnet_colour(name));
    last = name;
    if (!(y > 0)) continue;
    wal_series_point(series, x, y, NAN, NAN);
    low = fmin(low, x), high = fmax(high, x);
    level += log(y) + 0.5 * log(x), count++;
  }
  wal_series *line = wal_panel_series(panel, WAL_BAND, "1/√L", 7);
  for (int end = 0; end < 2 && count > 0; end++) {
    const double x = end ? high : low;
    wal_series_point(line, x, exp(level / count) / sqrt(x), NAN, NAN);
  }
  wal_panel_log(panel, true, true);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 14, 2, 2);
  for (int k = 0; k < 2; k++) {
    wal_panel *panel = wal_figure_panel(figure, errors[k].title, "L (training instances)", errors[k].axis);
    draw_error(panel, by, errors[k].gap);
    wal_panel_legend(panel, k == 0 ? "top right" : NULL);
  }
  for (int k = 0; k < 2; k++) {
    char title[64];
    snprintf(title, sizeof title, "%s, paired with PF's", errors[k].title);
    wal_panel *panel = wal_figure_panel(figure, title, "L (training instances)", errors[k].axis);
    draw_error(panel, by, errors[k].paired);
    wal_panel_legend(panel, NULL);
  }
  wal_figure_note(
      figure,
      "Root mean squares over the seeds. Above: Theorem 2's errors, with means over the L instances; most of "
      "them is chance, which instances were drawn. Below: PF's difference on the same instances taken off");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"mechanism", "size"}, *const measures[] = {"nsw_held",   "nsw_gap",
                                                                                "nsw_paired", "expl_held",
                                                                                "expl_gap",   "expl_paired"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 6, draw_figure);
}

const wal_experiment wal_rpfnet_generalisation = {
    .id = "rpfnet/generalisation",
    .title = "Theorem 2: error against the size of the training set",
    .paper = WAL_RPFNET_PAPER ", Theorem 2; the figure is ours",
    .doc =
        "A mechanism trained on L instances of law (17): how much better log Nash welfare (over agents with "
        "demand: an agent without has no logarithm) and exploitability are on these than on held-out ones. "
        "Theorem 2's printed errors sum over the L instances; they are means in its appendix and here. Its "
        "rate is L^-1/2.",
    .version = 1,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};

/* RPF-Net, Theorem 3: trained on one law, measured on another. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"
#include "models/mechanism/law_distance.h"

static const wal_param params[] = {
    WAL_RPFNET_SHARED_PARAMS,
    {"mismatch.low", WAL_REAL, "0.1", 0.1, 0.99, NULL, "1",
     "F': values and positive demands of the training instances are U(low, 1)", NULL, WAL_PARAM_KEY},
    {"mismatch.demanded", WAL_REAL, "0.5", 0.01, 1, NULL, "1",
     "F': probability that a demand of the training instances is not 0", NULL, WAL_PARAM_KEY},
};

#define EXPL_TOL 0.2, 1e-6
static const wal_column columns[] = {
    {"distance", WAL_REAL, "1", "d_TV(F, F') of whole instances, in closed form", 0, 1e-9, 1e-12},
    {"epsilon", WAL_REAL, "1", "exploitability under F', where it was trained", 0, EXPL_TOL},
    {"epsilon_se", WAL_REAL, "1", "its standard error", 0, 0.2, 1e-6},
    {"expl", WAL_REAL, "1", "exploitability under F, law (17)", 0, EXPL_TOL},
    {"expl_se", WAL_REAL, "1", "its standard error", 0, 0.2, 1e-6},
    {"bound", WAL_REAL, "1", "epsilon + 2 M d_TV: Theorem 3 with values and demands of at most 1", 0, 0.05,
     1e-6},
    {"tighter", WAL_REAL, "1", "epsilon + M d_TV, which holds as well", 0, 0.05, 1e-6},
    {"expl_ratio", WAL_REAL, "1", "expl over that of PF under F", WAL_COLUMN_OPTIONAL, EXPL_TOL},
    {"nsw_ratio", WAL_REAL, "1", "Nash welfare over that of PF under F", WAL_COLUMN_OPTIONAL, 5e-3, 1e-12},
    {"train_s", WAL_REAL, "s", "wall time of the training, also when it was done earlier",
     WAL_COLUMN_TIMING | WAL_COLUMN_OPTIONAL, 0, 0},
};

/* F': the law that the point trains on. */
static wal_law training_law(const wal_point *point) {
  wal_law law = wal_rpfnet_law(point);
  law.low = wal_point_real(point, "mismatch.low");
  law.demanded = wal_point_real(point, "mismatch.demanded");
  return law;
}

static void send(const wal_point *point, wal_sink *sink, double distance, const wal_rpfnet_samples *away,
                 const wal_rpfnet_samples *home, const wal_rpfnet_samples *pf) {
  const wal_rpfnet_mean epsilon = wal_rpfnet_mean_of(away->expl, away->count),
                        expl = wal_rpfnet_mean_of(home->expl, home->count);
  const double worth = (double)wal_point_int(point, "m"); /* M times the largest value and demand */
  wal_sink_row(sink);
  wal_sink_real(sink, "distance", distance);
  wal_sink_real(sink, "epsilon", epsilon.mean);
  wal_sink_real(sink, "epsilon_se", epsilon.se);
  wal_sink_real(sink, "expl", expl.mean);
  wal_sink_real(sink, "expl_se", expl.se);
  wal_sink_real(sink, "bound", epsilon.mean + 2 * worth * distance);
  wal_sink_real(sink, "tighter", epsilon.mean + worth * distance);
  const double expl_ratio = wal_rpfnet_gain_ratio_of(home->expl, pf->expl, home->count).mean,
               nsw_ratio = wal_rpfnet_ratio_of(home->nsw, pf->nsw, home->count).mean;
  if (isfinite(expl_ratio)) wal_sink_real(sink, "expl_ratio", expl_ratio);
  if (isfinite(nsw_ratio)) wal_sink_real(sink, "nsw_ratio", nsw_ratio);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const wal_law home = wal_rpfnet_law(point), away = training_law(point);
  const int64_t count = wal_point_int(point, "held_out");
  const wal_attack_options attack = wal_rpfnet_attack_options(point);
  wal_mechanism_options options;
  wal_training_options training;
  wal_rpfnet_mechanism_options(point, &options);
  wal_rpfnet_training_options(point, &training);
  training.law.low = away.low;
  training.law.demanded = away.demanded;
  wal_mechanism *f = NULL;
  wal_rpfnet_samples at_home = {0}, at_away = {0}, pf = {0};
  double distance, train_s = NAN;
  wal_status status = wal_law_distance(&home, &away, &distance);
  if (status == WAL_OK)
    status = wal_rpfnet_trained(wal_point_text(point, "mechanism"), home.n, home.m, &options, &training, sink,
                                &f, &train_s);
  if (status == WAL_OK) status = wal_rpfnet_sample(f, NULL, &away, count, &attack, NULL, sink, &at_away);
  if (status == WAL_OK) status = wal_rpfnet_sample(f, NULL, &home, count, &attack, NULL, sink, &at_home);
  if (status == WAL_OK) status = wal_rpfnet_sample_pf(&home, count, &attack, NULL, sink, &pf);
  if (status == WAL_OK) send(point, sink, distance, &at_away, &at_home, &pf);
  if (status == WAL_OK && f->kind->learned) wal_sink_real(sink, "train_s", train_s);
  wal_rpfnet_samples_free(&at_home);
  wal_rpfnet_samples_free(&at_away);
  wal_rpfnet_samples_free(&pf);
  wal_mechanism_destroy(f);
  return status;
}

/* ---- the picture ---- */

/* How the training law of a group differs from F. */
typedef enum { MATCHED, NARROWER, RARER, COMMONER } family;
static const char *const titles[] = {"", "Trained on U(low, 1)", "Trained on rarer demands",
                                     "Trained on commoner demands"};

static family family_of(const wal_grouping *by, int group) {
  const wal_point *point = wal_result_point(by->result, by->groups[group].row);
  const double own = wal_point_real(point, "demanded"), demanded = wal_point_real(point, "mismatch.demanded");
  if (wal_point_real(point, "mismatch.low") > 0.1) return NARROWER;
  return demanded == own ? MATCHED : demanded < own ? RARER : COMMONER;
}

static void draw_column(wal_panel *panel, const wal_grouping *by, family which, const char *column,
                        const char *name, int colour, bool line) {
  char se[64];
  snprintf(se, sizeof se, "%s_se", column);
  wal_series *series = wal_panel_series(panel, line ? WAL_BAND : WAL_LINES, name, colour);
  for (int k = 0; k < by->count; k++) {
    const wal_stat y = wal_group_stat(by, k, column);
    if (y.count == 0 || (family_of(by, k) != which && family_of(by, k) != MATCHED)) continue;
    const double x = wal_group_stat(by, k, "distance").mean;
    if (line)
      wal_series_point(series, x, y.mean, NAN, NAN);
    else
      wal_rpfnet_add(
          series, x, y,
          wal_frame_find(by->result->rows, se) >= 0 ? wal_group_stat(by, k, se) : (wal_stat){.mean = NAN});
  }
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 12, 2, 3);
  for (family which = NARROWER; which <= COMMONER; which++) {
    wal_panel *panel = wal_figure_panel(figure, titles[which], "total variation distance", "exploitability");
    draw_column(panel, by, which, "bound", "Theorem 3", 7, true);
    draw_column(panel, by, which, "tighter", "without its 2", 6, true);
    draw_column(panel, by, which, "epsilon", "under F′ (ε)", 5, false);
    draw_column(panel, by, which, "expl", "under F", 0, false);
    wal_panel_log(panel, false, true);
    wal_panel_range(panel, 0, 1, 1e-5, 10);
    wal_panel_legend(panel, which == NARROWER ? "bottom right" : NULL);
  }
  for (family which = NARROWER; which <= COMMONER; which++) {
    wal_panel *panel = wal_figure_panel(figure, "", "total variation distance", "under F, over PF's");
    draw_column(panel, by, which, "nsw_ratio", "NSW", 2, false);
    draw_column(panel, by, which, "expl_ratio", "exploitability", 1, false);
    wal_panel_range(panel, 0, 1, 0, 1.3);
    wal_panel_legend(panel, which == NARROWER ? "bottom left" : NULL);
  }
  wal_figure_note(
      figure,
      "Bars: one standard error over the held-out instances or, with several seeds, the smallest and "
      "the largest");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"mechanism", "mismatch.low", "mismatch.demanded"}, *const measures[] = {
                                                                                            "distance",
                                                                                            "epsilon",
                                                                                            "expl",
                                                                                            "bound",
                                                                                            "expl_ratio",
                                                                                            "nsw_ratio"};
  return wal_drawing_groups(result, drawing, keys, 3, measures, 6, draw_figure);
}

const wal_experiment wal_rpfnet_mismatch = {
    .id = "rpfnet/mismatch",
    .title = "Theorem 3: exploitability under another law than that of the training",
    .paper = WAL_RPFNET_PAPER ", Theorem 3; the figure is ours",
    .doc =
        "A mechanism trained on F' and measured under F, law (17), against the total variation distance of "
        "the "
        "two laws of instances, which has a closed form where F' draws from U(low, 1), or demands with "
        "another "
        "probability. Theorem 3 allows epsilon + 2 M v x d_TV, v and x the largest value and demand. As "
        "exploitability lies in [0, M v x], the factor 2 of its proof is not needed.",
    .version = 1,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};

/* How mechanisms appear in the figures: names, colours, a mean with its bar. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/rpfnet/rpfnet.h"

/* Colours are those of plots/style.gp: 0 blue, 1 vermilion, 2 green, 3 purple, 4 orange, 5 sky, 6 black, 7
   grey. What shares one is of one family: PF is v^theta at 1, PA and PF are the ends of the mixture, ExS-Net
   and the softmax network give shares by a softmax, the separable member without its network is the uniform
   rule. */
static const struct {
  const char *name, *label;
  int colour;
} mechanisms[] = {
    {"pf", "PF", 6},
    {"pa", "PA", 7},
    {"mixture", "Mixture", 7},
    {"clip", "Clip", 4},
    {"vtheta", "PF on vᶿ", 6},
    {"uniform", "Uniform", 1},
    {"exs", "ExS-Net", 3},
    {"softmax", "Softmax net", 3},
    {"rpf", "RPF-Net", 2},
    {"rpf_equivariant", "Equivariant", 5},
    {"rpf_monotone", "Monotone", 0},
    {"rpf_separable", "Separable", 1},
};
enum { MECHANISMS = sizeof mechanisms / sizeof *mechanisms };

static int rank_of(const char *mechanism) {
  int rank = 0;
  while (rank < MECHANISMS && strcmp(mechanisms[rank].name, mechanism)) rank++;
  return rank;
}

const char *wal_rpfnet_label(const char *mechanism) {
  const int rank = rank_of(mechanism);
  return rank < MECHANISMS ? mechanisms[rank].label : mechanism;
}

void wal_rpfnet_group_label(const wal_grouping *by, int group, char *out, size_t size) {
  const wal_frame *rows = by->result->rows;
  const int64_t row = by->groups[group].row;
  const int column = wal_frame_find(rows, "train.objective");
  const bool active = column >= 0 && !wal_frame_missing(rows, row, column) &&
                      !strcmp(wal_frame_text(rows, row, column), "active");
  snprintf(out, size, "%s%s", wal_rpfnet_label(wal_rpfnet_word(by, group, "mechanism")),
           active ? ", active" : "");
}

int wal_rpfnet_colour(const char *mechanism) {
  const int rank = rank_of(mechanism);
  return rank < MECHANISMS ? mechanisms[rank].colour : 7;
}

int wal_rpfnet_keys(const wal_result *result, const char *const wanted[], int count, const char *found[]) {
  int there = 0;
  for (int k = 0; k < count; k++)
    if (wal_frame_find(result->rows, wanted[k]) >= 0) found[there++] = wanted[k];
  return there;
}

double wal_rpfnet_number(const wal_grouping *by, int group, const char *name) {
  const wal_frame *rows = by->result->rows;
  const int column = wal_frame_find(rows, name);
  const int64_t row = by->groups[group].row;
  return column >= 0 ? wal_frame_real(rows, row, column)
                     : wal_point_real(wal_result_point(by->result, row), name);
}

const char *wal_rpfnet_word(const wal_grouping *by, int group, const char *name) {
  const wal_frame *rows = by->result->rows;
  const int column = wal_frame_find(rows, name);
  const int64_t row = by->groups[group].row;
  return column >= 0 ? wal_frame_text(rows, row, column)
                     : wal_point_text(wal_result_point(by->result, row), name);
}

void wal_rpfnet_add(wal_series *series, double x, wal_stat mean, wal_stat se) {
  const bool spread = mean.count > 1;
  const double half = se.count > 0 ? se.mean : NAN;
  wal_series_point(series, x, mean.mean, spread ? mean.min : mean.mean - half,
                   spread ? mean.max : mean.mean + half);
}

static wal_stat se_of(const wal_grouping *by, int group, const char *column) {
  char name[64];
  snprintf(name, sizeof name, "%s_se", column);
  const bool there = wal_frame_find(by->result->rows, name) >= 0;
  return there ? wal_group_stat(by, group, name) : (wal_stat){.mean = NAN};
}

void wal_rpfnet_bars(wal_panel *panel, const wal_grouping *by, const int *groups, int count,
                     const char *column, const char *name, int colour) {
  wal_series *bars = wal_panel_series(panel, WAL_BARS, name, colour), *paper = NULL;
  for (int k = 0; k < count; k++) {
    const wal_stat mean = wal_group_stat(by, groups[k], column);
    if (mean.count > 0) wal_rpfnet_add(bars, k, mean, se_of(by, groups[k], column));
    const double published = wal_result_published(by->result, by->groups[groups[k]].row, column);
    if (isnan(published)) continue;
    if (!paper) paper = wal_panel_series(panel, WAL_HOLLOW, "paper", 6);
    wal_series_point(paper, k, published, NAN, NAN);
  }
}

void wal_rpfnet_welfare_bars(wal_panel *panel, const wal_grouping *by, const int *groups, int count) {
  wal_rpfnet_bars(panel, by, groups, count, "nsw_active_ratio", "who takes part", 5);
  wal_rpfnet_bars(panel, by, groups, count, "nsw_ratio", "all agents", 0); /* published ones on top */
}

const char *wal_rpfnet_law_label(const wal_frame *rows, int64_t row) {
  static const char *const names[] = {"uniform", "perturbed", "adversarial"};
  static const char *const labels[] = {"truthful (17)", "perturbed (18)", "adversarial (19)"};
  const int column = wal_frame_find(rows, "train.law");
  if (column < 0 || wal_frame_missing(rows, row, column)) return "";
  for (int k = 0; k < 3; k++)
    if (!strcmp(wal_frame_text(rows, row, column), names[k])) return labels[k];
  return "";
}

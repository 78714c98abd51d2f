/* walras allocate and walras train --mechanism as a user calls them. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cli/call.h"
#include "tests/h5_put.h"
#include "tests/suite.h"

static void works(const char *line) { ck_assert_msg(walras(line) == 0, "%s: %s", line, err); }

/* Exit code 2, one line of message, and no output file. */
static void refused(const char *line, const char *message) {
  ck_assert_msg(walras(line) == 2, "%s: exit code", line);
  assert_says(err, message);
  ck_assert_str_eq(out, "");
  ck_assert_msg(strstr(err, "walras: ") == err, "no program name in:\n%s", err);
  ck_assert_int_ne(access(scratch_path("out.h5"), F_OK), 0);
}

static void assert_near(const double *is, const double *should, int count, double tol) {
  for (int k = 0; k < count; k++)
    ck_assert_msg(fabs(is[k] - should[k]) <= tol, "number %d is %.15g; expected %.15g", k, is[k], should[k]);
}

/* The allocation that `walras allocate a.yaml FLAGS` writes. */
static void allocates(const char *yaml, const char *flags, int count, const double *should) {
  char line[256];
  double a[16];
  write_text("a.yaml", yaml);
  snprintf(line, sizeof line, "allocate a.yaml %s -o out.h5", flags);
  works(line);
  h5_get("out.h5", "allocation", count, a);
  assert_near(a, should, count, 1e-9);
}

/* ---- right answers ---- */

#define FIGURE1                                              \
  "budgets: {c: 1, s: 1}\nagents:\n"                         \
  "  Ada: {values: {c: 1, s: 0.5}, demands: {c: 1, s: 1}}\n" \
  "  Ben: {values: {c: 1, s: 0.25}, demands: {c: 1, s: 1}}\n"
#define ONE_RESOURCE(B, X, Y)                                           \
  "budgets: {a: " B "}\nagents:\n  A: {values: {a: 3}, demands: {a: " X \
  "}}\n"                                                                \
  "  B: {values: {a: 1}, demands: {a: " Y "}}\n"

/* Figure 1 of the paper: both get 0.75; agent 1 may gain up to 0.125. */
START_TEST(the_papers_example) {
  static const double a[] = {0.25, 1, 0.75, 0}, u[] = {0.75, 0.75};
  double is[4], gain[2], v[4], x[4], kkt[1], unique[1], lambda[2];
  allocates(FIGURE1, "--exploitability both", 4, a);
  assert_says(out, "Nash welfare      0.5625");
  assert_says(out, "efficiency        100 % of the budgets");
  assert_says(out, "Ada             0.75          0.125          0.25             1");
  h5_get("out.h5", "utility", 2, is);
  assert_near(is, u, 2, 1e-9);
  h5_get("out.h5", "kkt", 1, kkt);
  h5_get("out.h5", "unique", 1, unique);
  h5_get("out.h5", "lambda", 2, lambda);
  ck_assert(kkt[0] <= 1e-9 && unique[0] == 1);
  ck_assert_double_eq_tol(lambda[0], 1 / 0.75, 1e-8);
  h5_get("out.h5", "exploitability", 2, gain);
  ck_assert(gain[0] > 0.1249 && gain[0] <= 0.125 + 1e-9);
  ck_assert(gain[1] >= 0 && gain[1] < 1e-9);
  h5_get("out.h5", "misreport_values", 4, v);
  h5_get("out.h5", "misreport_demands", 4, x);
  ck_assert(v[1] / v[0] < 0.26 && v[1] / v[0] > 0.25); /* just above the other's ratio */
  ck_assert(x[0] > 0);
}
END_TEST

/* Equal shares of everything; weights of 1 and 3; nobody gains. */
START_TEST(the_uniform_rule) {
  static const double even[] = {0.5, 0.5, 0.5, 0.5}, weighed[] = {0.25, 0.75};
  double gain[2] = {1, 1};
  allocates(FIGURE1, "-m uniform --exploitability both", 4, even);
  assert_says(out, "Nash welfare      0.46875");
  h5_get("out.h5", "exploitability", 2, gain);
  ck_assert(gain[0] == 0 && gain[1] == 0);
  allocates(
      "budgets: {a: 1}\nagents:\n  A: {values: {a: 3}, demands: {a: 1}, weight: 1}\n"
      "  B: {values: {a: 1}, demands: {a: 1}, weight: 3}\n",
      "-m uniform", 2, weighed);
}
END_TEST

START_TEST(one_agent_one_resource) {
  static const double two[] = {0.5, 0.5}, capped[] = {0.2, 0.8}, none[] = {0, 0}, slack[] = {0.25, 0.5};
  static const double half[] = {0.25, 0.25}, mixed[] = {0.3125, 0.3125}, alone[] = {0.75};
  allocates(ONE_RESOURCE("1", "1", "1"), "", 2, two);
  allocates(ONE_RESOURCE("1", "0.2", "7"), "", 2, capped);
  allocates(ONE_RESOURCE("0", "1", "1"), "", 2, none);
  assert_says(out, "1 budget of 0");
  allocates(ONE_RESOURCE("1", "0.25", "0.5"), "", 2, slack);
  allocates(ONE_RESOURCE("1", "1", "1"), "--mechanism pa", 2, half); /* r = 0.5: alone each gets 1 */
  allocates(ONE_RESOURCE("1", "1", "1"), "--mechanism mixture --set mixture.rho=0.25", 2, mixed);
  assert_says(out, "Nash welfare      0.328125"); /* of 3 a b: (0.25 (1/4) + 0.75 (1/16)) 3 */
  allocates("budgets: {a: 0.75}\nagents: {A: {values: {a: 3}, demands: {a: 1}}}\n", "", 1, alone);
  allocates("budgets: {a: 0.75}\nagents: {A: {values: {a: 3}, demands: {a: 1}}}\n", "-m pa", 1, alone);
}
END_TEST

START_TEST(weights) {
  static const double a[] = {0.6, 0.3, 0};
  write_text("a.csv", "agent,value:a,demand:a,weight\nA,2,9,2\nB,7,9,1\nC,1,9,0\nbudget,,0.9,\n");
  works("allocate a.csv -o out.h5");
  double is[3], u[3];
  h5_get("out.h5", "allocation", 3, is);
  h5_get("out.h5", "utility", 3, u);
  assert_near(is, a, 3, 1e-9);
  assert_near(u, (double[]){1.2, 2.1, 0}, 3, 1e-8);
  assert_says(out, "1 agent without demand for anything of value, or with a weight of 0: allocated nothing");
  assert_says(out, "Nash welfare      3.024"); /* 1.2^2 2.1 */
}
END_TEST

START_TEST(agents_without_demand_or_value) {
  static const double a[] = {1, 1, 0, 0, 0, 0};
  allocates(
      "budgets: {a: 1, b: 1}\nagents:\n"
      "  A: {values: {a: 1, b: 1}, demands: {a: 5, b: 5}}\n"
      "  B: {values: {a: 1, b: 1}, demands: {}}\n"
      "  C: {values: {}, demands: {a: 1, b: 1}}\n",
      "", 6, a);
  assert_says(out, "2 agents without demand for anything of value: allocated nothing");
  assert_says(out, "log Nash welfare  0.693147 nats, of the agents that take part");
  allocates("budgets: {a: 1, b: 1}\nagents:\n  A: {values: {}, demands: {}}\n", "--exploitability both", 2,
            (double[]){0, 0});
  assert_says(out, "exploitability    0 mean gain");
}
END_TEST

START_TEST(ties_are_told) {
  double a[4], u[2], unique[1];
  write_text("a.yaml",
             "budgets: {a: 1, b: 1}\nagents:\n"
             "  A: {values: {a: 1, b: 1}, demands: {a: 1, b: 1}}\n"
             "  B: {values: {a: 2, b: 2}, demands: {a: 1, b: 1}}\n");
  works("allocate a.yaml -o out.h5");
  assert_says(out, "the allocation is not unique (ties)");
  h5_get("out.h5", "unique", 1, unique);
  h5_get("out.h5", "utility", 2, u);
  h5_get("out.h5", "allocation", 4, a);
  ck_assert(unique[0] == 0);
  assert_near(u, (double[]){1, 2}, 2, 1e-9);
  assert_near((double[]){a[0] + a[2], a[1] + a[3]}, (double[]){1, 1}, 2, 1e-9);
}
END_TEST

/* Eq. 9 alone: min -log a + 2 a has a = 1/2. */
START_TEST(the_files_z) {
  static const double a[] = {0.5};
  allocates("budgets: {a: 1}\nagents: {A: {values: {a: 3}, demands: {a: 1}, z: {a: 2}}}\n", "", 1, a);
  assert_says(out, "the file's z enters as the linear term of eq. 9");
  ck_assert_int_eq(unlink(scratch_path("out.h5")), 0);
  refused("allocate a.yaml -m pa -o out.h5",
          "has z, the linear term of eq. 9, which counts with --mechanism pf only");
  refused("allocate a.yaml -e both -o out.h5", "has z; --exploitability takes files without it");
}
END_TEST

/* ---- many instances ---- */

enum { K = 1000 };

/* K instances of one resource with two agents: agent 0 has weight k + 1, agent 1 weight 1. */
START_TEST(many_instances) {
  double v[2 * K], x[2 * K], b[K], w[2 * K], a[2 * K], kkt[K], lambda[K];
  for (int k = 0; k < K; k++) {
    b[k] = 1, w[2 * k] = k + 1, w[2 * k + 1] = 1;
    for (int i = 0; i < 2; i++) v[2 * k + i] = 1 + i, x[2 * k + i] = 5;
  }
  hid_t file = h5_create("in.h5");
  h5_put(file, "values", 3, (hsize_t[]){K, 2, 1}, v);
  h5_put(file, "demands", 3, (hsize_t[]){K, 2, 1}, x);
  h5_put(file, "budgets", 2, (hsize_t[]){K, 1}, b);
  h5_put(file, "weights", 2, (hsize_t[]){K, 2}, w);
  H5Fclose(file);
  works("allocate in.h5 -o out.h5 --threads 2");
  assert_says(out, "instances K       1000");
  h5_get("out.h5", "allocation", 2 * K, a);
  h5_get("out.h5", "lambda", K, lambda);
  h5_get("out.h5", "kkt", K, kkt);
  for (int k = 0; k < K; k++) {
    ck_assert_double_eq_tol(a[2 * k], (k + 1.0) / (k + 2.0), 1e-9);
    ck_assert_double_eq_tol(lambda[k], k + 2.0, 1e-7 * (k + 2));
    ck_assert(kkt[k] <= 1e-9);
  }
  works("verify out.h5");
  works("show out.h5");
  assert_says(out, "/allocation          [1000, 2, 1] float64");
}
END_TEST

/* An attacked file has several blocks; the second one's answers stand where they belong. */
START_TEST(exploitability_of_many) {
  double v[4 * K], x[4 * K], b[2 * K], gain[2 * K];
  for (int k = 0; k < K; k++) {
    const double row[] = {1, 0.5, 1, 0.25}, same[] = {1, 1, 1, 1};
    memcpy(v + 4 * k, k == 700 ? row : same, sizeof row);
    for (int e = 0; e < 4; e++) x[4 * k + e] = 1;
    b[2 * k] = b[2 * k + 1] = k == 700 ? 1 : 2; /* else the demands fit */
  }
  hid_t file = h5_create("in.h5");
  h5_put(file, "values", 3, (hsize_t[]){K, 2, 2}, v);
  h5_put(file, "demands", 3, (hsize_t[]){K, 2, 2}, x);
  h5_put(file, "budgets", 2, (hsize_t[]){K, 2}, b);
  H5Fclose(file);
  works("allocate in.h5 --exploitability values --set attack.candidates=40 -o out.h5");
  h5_get("out.h5", "exploitability", 2 * K, gain);
  for (int r = 0; r < 2 * K; r++) ck_assert(r == 1400 ? gain[r] > 0.12 : fabs(gain[r]) < 1e-9);
}
END_TEST

/* ---- what is refused ---- */

static void write_nm(const char *name, int n, int m) {
  double one[64];
  for (int k = 0; k < 64; k++) one[k] = 1;
  hid_t file = h5_create(name);
  h5_put(file, "values", 2, (hsize_t[]){(hsize_t)n, (hsize_t)m}, one);
  h5_put(file, "demands", 2, (hsize_t[]){(hsize_t)n, (hsize_t)m}, one);
  h5_put(file, "budgets", 1, (hsize_t[]){(hsize_t)m}, one);
  H5Fclose(file);
}

START_TEST(flags_that_are_refused) {
  write_text("a.yaml", FIGURE1);
  refused("allocate", "FILE");
  refused("allocate a.yaml --mechanism fp", "unknown mechanism \"fp\" of walras allocate");
  refused("allocate a.yaml --mechanism rpf", "--mechanism rpf is learned; expected a model");
  refused("allocate a.yaml --mechanism rpfnet:", "is learned; expected a model");
  refused("allocate a.yaml --mechanism pf:m.h5", "pf has nothing to learn");
  refused("allocate a.yaml --mechanism uniform:m.h5", "uniform has nothing to learn");
  refused("allocate a.yaml --mechanism exs:missing.h5", "missing.h5");
  refused("allocate a.yaml --mechanism exs:a.yaml", "a.yaml");
  refused("allocate a.yaml --exploitability all", "expected values, demands or both");
  refused("allocate a.yaml --set mixture.rho=0.1", "mixture.rho counts with mechanism=mixture only");
  refused("allocate a.yaml -m mixture --set mixture.rho=2", "mixture.rho");
  refused("allocate a.yaml --set net.width=3", "unknown parameter \"net.width\"");
  refused("allocate a.yaml -m pa --set mechanism=pf", "--mechanism is given too");
  refused("allocate a.yaml --set attack.candidates=9", "counts with --exploitability only");
  refused("allocate a.yaml -o a.yaml", "-o a.yaml is the input itself");
  refused("allocate a.yaml -o b.csv", "what is written is HDF5");
  refused("allocate a.yaml -o /dev/full", "not a regular file");
  refused("allocate missing.yaml -o out.h5", "missing.yaml");
  write_nm("wide.h5", 3, 2);
  refused("allocate wide.h5 -e both --set attack.method=grid", "a grid of reports for 3 agents");
}
END_TEST

/* Demands that no answer in doubles fits are no success, and leave no file. */
START_TEST(numbers_too_far_apart) {
  hid_t file = h5_create("in.h5");
  h5_put(file, "values", 2, (hsize_t[]){2, 2}, (double[]){1e-151, 1, 1, 1});
  h5_put(file, "demands", 2, (hsize_t[]){2, 2}, (double[]){1, 1, 1, 1});
  h5_put(file, "budgets", 1, (hsize_t[]){2}, (double[]){1, 1});
  H5Fclose(file);
  refused("allocate in.h5 -o out.h5", "values[0,0] is 1e-151; expected 0, or a number from 1e-150 to 1e+150");
  const double far[] = {1e150, 1, 1, 1e-150};
  file = h5_create("in.h5");
  h5_put(file, "values", 2, (hsize_t[]){2, 2}, far);
  h5_put(file, "demands", 2, (hsize_t[]){2, 2}, far);
  h5_put(file, "budgets", 1, (hsize_t[]){2}, (double[]){1e-150, 1e150});
  H5Fclose(file);
  refused("allocate in.h5 -m pa -o out.h5", "instance 0: the values of agent 0 are 1e+150 times apart");
  const int code = walras("allocate in.h5 -o out.h5");
  if (code == 0) {
    double kkt[1];
    h5_get("out.h5", "kkt", 1, kkt);
    ck_assert(kkt[0] <= 1e-6);
  } else {
    ck_assert_int_eq(code, 1);
    ck_assert_int_ne(access(scratch_path("out.h5"), F_OK), 0);
  }
}
END_TEST

START_TEST(numbers_that_are_refused) {
  write_text("a.yaml", "budgets: {a: 1}\nagents: {A: {values: {a: -1}, demands: {a: 1}}}\n");
  refused("allocate a.yaml -o out.h5", "a.yaml:2:26: the value is -1");
  hid_t file = h5_create("in.h5");
  h5_put(file, "values", 3, (hsize_t[]){2, 1, 1}, (double[]){1, NAN});
  h5_put(file, "demands", 3, (hsize_t[]){2, 1, 1}, (double[]){1, 1});
  h5_put(file, "budgets", 2, (hsize_t[]){2, 1}, (double[]){1, 1});
  H5Fclose(file);
  refused("allocate in.h5 -o out.h5", "in.h5: values[1,0,0] is nan; expected a finite number, 0 or more");
  ck_assert_int_eq(truncate(scratch_path("in.h5"), 1000), 0);
  refused("allocate in.h5 -o out.h5", "in.h5");
}
END_TEST

/* A full disk: one message, the old file stays, nothing half written. */
START_TEST(a_full_disk_keeps_the_old_file) {
  char before[16], after[16];
  write_text("a.yaml", FIGURE1);
  write_text("out.h5", "the old one");
  char command[512];
  snprintf(command, sizeof command, "cd '%s' && ulimit -f 1 && '%s' allocate a.yaml -o out.h5 > out 2> err",
           scratch, WAL_BINARY);
  const int status = system(command);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
  read_text(scratch_path("err"), err, sizeof err);
  assert_says(err, "out.h5: cannot write");
  assert_says(err, "File too large");
  const long length = scratch_read(scratch_path("out.h5"), after, sizeof after);
  snprintf(before, sizeof before, "the old one");
  ck_assert(length == 11 && memcmp(before, after, 11) == 0);
  ck_assert_int_eq(scratch_entries(scratch), 4); /* a.yaml, out.h5, out, err */
}
END_TEST

/* ---- trained mechanisms ---- */

#define TRAIN "train --mechanism softmax --agents 3 --resources 2 --set held_out=40 --set train.batch=8 "
#define QUICK "--set train.candidates=8 --set attack.candidates=16 "

START_TEST(trained_and_used) {
  works(TRAIN QUICK "--set train.steps=5 -o model.h5");
  assert_says(out, "Adam steps        5 in ");
  assert_says(out, "Wrote model.h5: walras allocate FILE --mechanism softmax:model.h5 uses it");
  ck_assert_int_ne(access(scratch_path("model.h5.checkpoint"), F_OK), 0);
  works(TRAIN QUICK "--set train.steps=1");
  assert_says(err, "not kept; -o model.h5 keeps it");
  works("show model.h5");
  assert_says(out, "walras-mechanism-1");
  assert_says(out, "kind                     softmax");
  works("verify model.h5");
  write_nm("fits.h5", 3, 2);
  works("allocate fits.h5 --mechanism softmax:model.h5 -o out.h5");
  ck_assert(h5_has("out.h5", "allocation") && !h5_has("out.h5", "kkt"));
  ck_assert_int_eq(unlink(scratch_path("out.h5")), 0);
  write_nm("other.h5", 2, 3);
  refused(
      "allocate other.h5 --mechanism softmax:model.h5 -o out.h5",
      "other.h5: instances of 2 agents and 3 resources; model.h5 was trained for 3 agents and 2 resources");
  refused("allocate fits.h5 --mechanism exs:model.h5 -o out.h5",
          "model.h5 holds a mechanism softmax; expected exs");
  refused("allocate fits.h5 --mechanism rpfnet:model.h5 -o out.h5", "model.h5 holds a mechanism softmax");
  ck_assert_int_eq(truncate(scratch_path("model.h5"), 2000), 0);
  refused("allocate fits.h5 --mechanism softmax:model.h5 -o out.h5", "model.h5");
}
END_TEST

/* The number after these words of the last output. */
static double said(const char *words) {
  const char *at = strstr(out, words);
  ck_assert_msg(at != NULL, "no '%s' in:\n%s", words, out);
  return strtod(at + strlen(words), NULL);
}

/* Where everybody has a demand, those who take part are all. */
START_TEST(trained_for_those_who_take_part) {
  works(TRAIN QUICK "--set train.steps=2 --set train.objective=active --set demanded=1");
  ck_assert_double_gt(said("Nash welfare "), 0);
  ck_assert_double_eq(said("of those active "), said("Nash welfare "));
  works(TRAIN QUICK "--set train.steps=2 --set train.objective=active --set demanded=0.4 -o model.h5");
  ck_assert_double_gt(said("of those active "), 2 * said("Nash welfare "));
  works("show model.h5");
  ck_assert_double_gt(said("nsw_active "), 2 * said("nsw "));
  ck_assert_double_gt(said("nsw_active_pf "), 2 * said("nsw_pf "));
  refused(TRAIN "--set train.objective=all -o out.h5",
          "train.objective is \"all\"; expected own, log, product or active");
}
END_TEST

START_TEST(training_goes_on_after_a_kill) {
  double is[6], was[6];
  works(TRAIN QUICK "--set train.steps=300 -o whole.h5");
  char command[1024];
  snprintf(command, sizeof command,
           "cd '%s' && exec '%s' " TRAIN QUICK "--set train.steps=300 -o part.h5 > out 2> err", scratch,
           WAL_BINARY);
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(99);
  }
  for (int nap = 0; nap < 1000 && (access(scratch_path("part.h5.checkpoint"), F_OK) != 0 ||
                                   scratch_entries(scratch_path("part.h5.checkpoint")) == 0);
       nap++)
    usleep(5000);
  kill(child, SIGKILL);
  ck_assert_int_eq(waitpid(child, NULL, 0), child);
  works(TRAIN QUICK "--set train.steps=300 -o part.h5");
  write_nm("fits.h5", 3, 2);
  works("allocate fits.h5 --mechanism softmax:whole.h5 -o whole_out.h5");
  works("allocate fits.h5 --mechanism softmax:part.h5 -o part_out.h5");
  h5_get("whole_out.h5", "allocation", 6, was);
  h5_get("part_out.h5", "allocation", 6, is);
  ck_assert_mem_eq(is, was, sizeof is);
}
END_TEST

START_TEST(training_flags_that_are_refused) {
  refused("train --mechanism pf -o out.h5",
          "--mechanism pf has nothing to learn; expected exs, softmax, rpf");
  refused("train --mechanism rfp -o out.h5", "--mechanism rfp is none");
  refused("train --mechanism exs --agents 0 -o out.h5", "agents");
  refused("train --mechanism exs --agents 3 --set train.steps=1000000 --set attack.method=grid",
          "expected 2 and 2");
  refused("train --mechanism exs --agents 100000 -o out.h5", "--agents: ");
  refused("train --mechanism exs market.h5", "expected no FILE with --mechanism");
  refused("train --mechanism exs --solver tower", "--solver and --alpha are of markets");
  refused("train --agents 3", "--agents and --resources are of mechanisms");
  refused("train --mechanism exs --set train.stepz=3", "train.steps");
  refused("train --mechanism exs --set mechanism=rpf", "--mechanism is given too");
  refused("train --mechanism exs --agents 2^40", "expected an integer from 1 to 2^20");
  refused("train --mechanism exs --set train.gamma=-0.5", "gamma -0.5");
  refused("train --mechanism exs --set train.lr=-0.5", "at rate -0.5");
  refused("train --mechanism exs -o /dev/full", "not a regular file");
  write_text("m.h5.checkpoint", "a file where the folder should be");
  refused("train --mechanism exs -o m.h5", "m.h5.checkpoint: File exists");
}
END_TEST

START_TEST(mechanisms_are_listed) {
  works("list mechanisms");
  assert_says(out, "pf ");
  assert_says(out, "rpf_monotone");
  assert_says(out, "Sources:");
  works("allocate --help");
  assert_says(out, "--exploitability LIES");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("allocate");
  TCase *tests = tcase_create("allocate");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
  tcase_add_test(tests, the_papers_example);
  tcase_add_test(tests, the_uniform_rule);
  tcase_add_test(tests, one_agent_one_resource);
  tcase_add_test(tests, weights);
  tcase_add_test(tests, agents_without_demand_or_value);
  tcase_add_test(tests, ties_are_told);
  tcase_add_test(tests, the_files_z);
  tcase_add_test(tests, many_instances);
  tcase_add_test(tests, exploitability_of_many);
  tcase_add_test(tests, flags_that_are_refused);
  tcase_add_test(tests, numbers_that_are_refused);
  tcase_add_test(tests, numbers_too_far_apart);
  tcase_add_test(tests, a_full_disk_keeps_the_old_file);
  tcase_add_test(tests, trained_and_used);
  tcase_add_test(tests, trained_for_those_who_take_part);
  tcase_add_test(tests, training_goes_on_after_a_kill);
  tcase_add_test(tests, training_flags_that_are_refused);
  tcase_add_test(tests, mechanisms_are_listed);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}

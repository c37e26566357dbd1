# Makes tests/analysis/shapiro_of_r.h: W and p of R's shapiro.test for samples of a stated rule.
#   Rscript tests/analysis/shapiro_of_r.R > tests/analysis/shapiro_of_r.h
# The rule is that of sample_of() in tests/analysis/shapiro.cpp. Only the logarithm may differ in a last place.
sizes <- c(3:13, 15:17, 20, 25, 30:33, 40, 50, 63:65, 75, 99:101, 127:129, 150, 200, 255:257, 300, 400, 511:513, 640,
           750, 999, 1000, 1023:1025, 1500, 2000, 2047:2049, 2500, 3000, 3500, 4000, 4095:4097, 4500, 4999, 5000)
kinds <- c("normal", "exponential", "uniform", "ties", "heavy", "offset")
sample_of <- function(kind, n) {
  state <- 1000 * n + kind
  draw <- function() {
    state <<- (1664525 * state + 1013904223) %% 4294967296
    (state + 0.5) / 4294967296
  }
  irwin_hall <- function() { s <- -6; for (i in 1:12) s <- s + draw(); s }
  one <- switch(kind + 1, irwin_hall, function() -log(draw()), draw, function() floor(8 * draw()),
                function() { u <- draw(); (u - 0.5) / (u * (1 - u)) }, function() 10000 + irwin_hall())
  vapply(seq_len(n), function(i) one(), 0)
}
cat("// Made by tests/analysis/shapiro_of_r.R with", R.version.string, "- W and p of shapiro.test.\n")
cat("#pragma once\n\nnamespace shoal::test {\n\nstruct ShapiroOfR {\n  int kind, n;\n  double w, p;\n};\n\n")
cat("inline constexpr ShapiroOfR kShapiroOfR[] = {\n")
for (kind in seq_along(kinds) - 1) {
  cat("    // ", kinds[kind + 1], "\n", sep = "")
  for (n in sizes) {
    x <- sample_of(kind, n)
    if (max(x) == min(x)) next
    t <- shapiro.test(x)
    cat(sprintf("    {%d, %d, %.17g, %.17g},\n", kind, n, t$statistic, t$p.value))
  }
}
cat("};\n\n}  // namespace shoal::test\n")

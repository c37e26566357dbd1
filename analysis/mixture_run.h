// Takes the searches of samples to their ends on a machine.
#pragma once

#include <vector>

#include "analysis/mixture.h"

namespace shoal {

/// Fits of values that a mixture of the fit's kind can have: weight, parameters, log-likelihoods, status,
/// iterations and convergence are filled in. `values` are sorted on the way. On the CPU one sample on the
/// calling thread, on a device many, a call of the op a round.
void run_on_cpu(const Calculator&, const MixtureSpec&, std::vector<double>& values, MixtureFit&);
void run_on_device(const Calculator&, const MixtureSpec&, std::vector<std::vector<double>>& values,
                   const std::vector<MixtureFit*>& fits);

}  // namespace shoal

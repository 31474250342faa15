"""The one table of tolerances. All figures are relative unless the line says otherwise."""

KKT = 1e-8  # certificate of a float64 answer of the reference
KKT_FLOAT32 = 1e-5  # the same in float32
# W x of two answers with certificates, relative to the signal: the objective is quadratic in it
FIT = 1e-6
GAP = 1e-8  # duality gap of an optimum, where there is one
OPTIMAL = 1e-6  # default of `Certificate.optimal`
OBJECTIVE = 1e-6  # objectives of two solvers
SAME_OBJECTIVE = 1e-8  # objectives of two answers with certificates
# solutions with certificates, where there is one solution; see `oracles.distance`
SAME_POINT = 1e-7
CLOSED_FORM = 1e-8  # points against a closed form or an enumeration
NEWTON = 1e-12  # residual after Newton's method from a cold start
PRINTED = 1e-12  # the iterates of an algorithm against a NumPy loop of its printed formulas
SATURATED = 1e-5  # points behind saturated pixels, which stationarity hardly determines
STATIONARY = 1e-6  # KKT residual at a stationary point of a problem that is not convex
BOUND = 1e-9  # by how much rounding may lift a lower bound over the optimal value
FARKAS = 1e-8  # rounding in a proof of infeasibility
PERTURBATION = 1e-4  # of an optimum, to be rejected
SCALED = 1e-9  # a certificate against the one of the rescaled problem, absolute
FORWARD = 1e-12  # forward pass against another implementation
FORWARD_FLOAT32 = 1e-5
INVERSE = 1e-9  # inverse(phi(t)) against t, in units of what rounding of phi(t) allows
DERIVATIVE = 1e-6  # against central differences
ALONE = 1e-10  # a signal in a batch against the same signal alone
EXACT_SNR = 150.0  # dB
FAST_SNR = 180.0  # dB, of the default backend on the shipped generator
FLOAT32_SNR = 60.0  # dB, of signals rounded to float32
COHERENCE = 1e-12  # a coherence against its definition, absolute

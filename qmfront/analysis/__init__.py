"""Tables of finished iterations and cases: convergence, rates, cost, efficiency, and the summary page."""

"""The figures of the paper and their kin, drawn from the CSV file that each leaves beside itself."""

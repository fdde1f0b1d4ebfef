-- One sequence for orders and amendments: it breaks ties within a quote. Gaps mean nothing.
CREATE SEQUENCE competitions_acceptance_seq AS bigint;

-- Rights. Only the owner of the tables has a right on them. The functions that others may call run with the rights of the
-- owner, and find names without a schema only where the server has its own. These statements run at each migration, so that
-- roles can be made later.
DO $do$
DECLARE
    v_inner text[] := '{fence_1, insert_event_1, state_of_1, claim_head_1, claim_row_1, outgoing_1, sum_1, write_state_1, queue_1, sweep_1,
        is_ended_1, ends_at_1, next_beat_1, late_1, take_free_1, account_1, runners_1, shares_1, most_deaths_1, back_off_1, ask_back_1, millis_1,
        raise_sequence_1}';
    -- Numbers without the texts of people.
    v_reader text[] := '{format_1, accounts_1, find_account_1, depths_1, settled_1, waiting_1, hits_1, overview_1}';
    -- All but the sessions of the accounts, and what a holder of an account does.
    v_operator text[] := '{status_1, values_1, chat_values_1, chats_1, export_values_1, export_timers_1, saved_rows_1,
        saved_files_1, log_forward_1, log_back_1, live_1, order_1, order_state_1, drain_node_1, move_1, restored_1}';
    v_role text;
    v_function record;
BEGIN
    FOR v_function IN
        SELECT p.oid::regprocedure AS signature, p.proname AS name FROM pg_proc p WHERE p.pronamespace = 'mynah'::regnamespace
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function.signature);
        CONTINUE WHEN v_function.name = ANY (v_inner);
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, pg_temp', v_function.signature);
        FOR v_role IN SELECT r.rolname FROM pg_roles r WHERE r.rolname = 'mynah_node'
            OR (r.rolname = 'mynah_operator' AND v_function.name = ANY (v_operator || v_reader))
            OR (r.rolname = 'mynah_reader' AND v_function.name = ANY (v_reader))
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function.signature, v_role);
        END LOOP;
    END LOOP;
    FOR v_role IN SELECT r.rolname FROM pg_roles r WHERE r.rolname IN ('mynah_node', 'mynah_operator', 'mynah_reader') LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA mynah TO %I', v_role);
    END LOOP;
END $do$;

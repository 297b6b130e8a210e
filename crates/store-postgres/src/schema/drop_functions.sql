-- The functions of the former format go, those of this one follow. A node that calls one meanwhile waits for the commit.
DO $do$ DECLARE v_function regprocedure; BEGIN
    FOR v_function IN SELECT oid FROM pg_proc WHERE pronamespace = 'mynah'::regnamespace LOOP
        EXECUTE format('DROP FUNCTION %s', v_function);
    END LOOP;
END $do$;

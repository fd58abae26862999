"""`exosync serve`: the same runs as the one-shot commands do, at their times, for ever.

`jobs` does the work and says when it wants to come again; it knows neither threads nor the
scheduler. `pool` and `scheduling` bring it to APScheduler, `service` holds all together:
signals, the configuration in force, the web server, the heart's beat.
"""

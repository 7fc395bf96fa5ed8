"""How flows are deployed, served, watched and controlled.

What is deployed:

* `plan`: the one table of deployments and their timetables, made from the settings
* `serve`: serve all of it from one process; `resident` is that process when `bensbot up` starts it
* `manifest`: the same table as `prefect.yaml`, for workers
* `listing`: `bensbot deployments`

The loop on this machine:

* `up`: `bensbot up`, `down` and `serve`
* `stack`: start, wait for and end the server and the loop
* `processes`: start processes that outlive a terminal, and remember them
* `place`: where a server leaves its traces, and which server is meant

Looking and switching, here and elsewhere:

* `control`: `bensbot status`, `start`, `stop`, `pause`, `halt`, `resume`, `metrics` and `flatten`
* `standing`: what is known, from the book or from the server; `loop` puts it in words and finds the exit code
* `switching`: wait for runs and for idleness, and let Prefect follow the book
* `flattening`: flatten where the book is
* `api`: everything that is asked of Prefect's API

Watching:

* `watchdog`: the rules that notice a dead loop
* `automations`: `bensbot automations`, which puts them on the server
"""

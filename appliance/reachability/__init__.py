"""Whether the names of this server lead the world here, as far as that shows from inside.

Found out by coming in through each name: a word that nobody else knows is fetched from it. Nothing
depends on that working: many a router does not let its own network in again.
"""

from appliance.reachability.judgement import Arrival, Verdict, judge
from appliance.reachability.visit import Answer, visit

__all__ = ["Answer", "Arrival", "Verdict", "judge", "visit"]

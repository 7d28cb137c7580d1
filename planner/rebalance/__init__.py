"""The rebalancing job: measured load → forecast → plan → promotion, over and over.

`rebalance_once` is one turn; everything it needs of the world comes in as a `Source` of measurements and a
`planner.service.fleet_client.FleetClient`.
"""

"""The load: generators that run as processes of their own, and how they are started."""

"""What happens when a clinician and a patient meet, and what is written about it.

visit      one meeting, from check-in to completion; its class is ambulatory, emergency, inpatient, home or virtual
note       what one author writes about a visit: subjective, objective, assessment, plan
draft      a note that its author has not signed; every save is kept
signature  the author's name under exactly the content that was shown; afterwards nothing changes
addendum   what is added to a signed note, with its own author and signature
diagnosis  a coded finding of a visit: confirmed, provisional or differential; one of them is the primary one
plan       the structured list of what is to be done next
"""

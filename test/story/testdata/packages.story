# A package of 100 GB of storage, whole again each month from the day on which it began; what it does not cover is priced
# by the hour at 0.000033 for a GB.

clock     2027-03-30 10:00
customer  cedar-labs
nocoupons
give      bucket obs.package.100gb 2
clock     2027-03-30 11:00
use       photos bucket size 30 17 2027-03-30T11:00 4
clock     2027-03-30 18:00
charged   photos size 2027-03 records 4 usage 120 covered 100 official 0.00066   # 20 GB
left      storage 0
clock     2027-04-30 23:00
use       photos bucket size 30 17 2027-04-30T22:00 4
clock     2027-05-01 06:00              # the second cycle begins with the day after the 30th
charged   photos size 2027-04 records 2 usage 60 covered 0
charged   photos size 2027-05 records 2 usage 60 covered 60 official 0
left      storage 40
check
